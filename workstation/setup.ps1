# Sets up a laptop with Windows:
#   powershell -ExecutionPolicy Bypass -File setup.ps1 ROLE [apply | status | undo] [--dry-run]
# It gets mise and uv; laptop.py does the rest.
function Stop-Setup([string]$Reason) {
    [Console]::Error.WriteLine($Reason)
    exit 1
}

function Update-SearchPath {
    $folders = 'Machine', 'User' | ForEach-Object { [Environment]::GetEnvironmentVariable('PATH', $_) }
    $env:PATH = $folders -join ';'
}

$reach = 'connect to the network (behind a proxy, set HTTPS_PROXY), then run this again.'
$env:MISE_TRUSTED_CONFIG_PATHS = $PSScriptRoot
foreach ($package in @(@('mise', 'jdx.mise'), @('uv', 'astral-sh.uv'))) {
    $name, $id = $package
    if (-not (Get-Command $name -ErrorAction SilentlyContinue)) {
        winget install --exact --id $id --silent --accept-package-agreements --accept-source-agreements | Out-Null
        Update-SearchPath
        if (-not (Get-Command $name -ErrorAction SilentlyContinue)) {
            Stop-Setup "winget could not install $id`: $reach"
        }
    }
}
$program = Join-Path $PSScriptRoot 'laptop.py'
uv sync --quiet --offline --script $program 2>$null
if ($LASTEXITCODE -ne 0) {
    uv sync --quiet --script $program 2>$null
    if ($LASTEXITCODE -ne 0) {
        Stop-Setup "Python 3.11 or the package json-five could not be downloaded: $reach"
    }
}
uv run --quiet --offline --script $program @args
exit $LASTEXITCODE
