// Stand-ins for extensions that no package registry has. Each bears the id of an extension, takes the
// extension's settings, and starts the program that the extension would start.

const vscode = require('vscode');
const { spawn, execFile } = require('child_process');
const { createInterface } = require('readline');

const project = () => vscode.workspace.workspaceFolders[0].uri.fsPath;
const settingsOf = (section) =>
  vscode.workspace.getConfiguration(section, vscode.workspace.workspaceFolders[0].uri);
const python = () => `${project()}/.venv/bin/python`;

const standIns = {
  // Pylance is closed source; basedpyright is a fork of the same checker.
  'ms-python.vscode-pylance': (context) => {
    const configuration = ({ items }) => items.map(({ section }) => {
      const analysis = settingsOf('python.analysis');
      return { python: { pythonPath: python() }, basedpyright: { analysis } }[section] ?? {};
    });
    serve(context, 'pylance', 'basedpyright-langserver', ['--stdio'], { workspace: { configuration } });
  },

  'charliermarsh.ruff': (context) => {
    serve(context, 'ruff', `${project()}/.venv/bin/ruff`, ['server']);
  },

  'ms-python.python': (context) => {
    const settings = settingsOf('python.testing');
    const tests = vscode.tests.createTestController('pytest', 'Python tests');
    context.subscriptions.push(tests);
    if (!settings.get('pytestEnabled')) return;
    const run = async (request) => {
      const going = tests.createTestRun(request);
      for (const item of request.include ?? []) {
        const { error, stdout } = await pytest('-q', item.id);
        error ? going.failed(item, new vscode.TestMessage(stdout)) : going.passed(item);
      }
      going.end();
    };
    tests.createRunProfile('Run', vscode.TestRunProfileKind.Run, run, true);
    pytest('--collect-only', '-q', ...settings.get('pytestArgs')).then(({ stdout }) => {
      for (const id of stdout.match(/^\S+\.py::.+$/gm) ?? []) {
        const [file, ...names] = id.split('::');
        const uri = vscode.Uri.joinPath(vscode.Uri.file(project()), file);
        const parent = tests.items.get(file) ?? tests.createTestItem(file, file, uri);
        tests.items.add(parent);
        parent.children.add(tests.createTestItem(id, names.join('::'), uri));
      }
    });
  },

  'ms-toolsai.jupyter': (context) => {
    const kernel = vscode.notebooks.createNotebookController('venv', 'jupyter-notebook', '.venv');
    const started = spawn(python(), [`${__dirname}/kernel.py`], { cwd: `${project()}/notebooks` });
    const answers = createInterface(started.stdout)[Symbol.asyncIterator]();
    context.subscriptions.push(kernel, { dispose: () => started.kill() });
    kernel.supportedLanguages = ['python'];
    kernel.executeHandler = async (cells) => {
      for (const cell of cells) {
        const going = kernel.createNotebookCellExecution(cell);
        going.start(Date.now());
        started.stdin.write(`${JSON.stringify(cell.document.getText())}\n`);
        const { ok, outputs } = JSON.parse((await answers.next()).value);
        const item = ([mime, text]) => new vscode.NotebookCellOutputItem(Buffer.from(text), mime);
        const shown = outputs.map((output) =>
          new vscode.NotebookCellOutput(Object.entries(output).map(item)));
        await going.replaceOutput(shown);
        going.end(ok, Date.now());
      }
    };
  },
};

function pytest(...args) {
  const command = ['-m', 'pytest', '-p', 'no:cacheprovider', ...args];
  return new Promise((done) => execFile(python(), command, { cwd: project(), maxBuffer: 1e8 },
    (error, stdout) => done({ error, stdout })));
}

function serve(context, name, command, args, middleware = {}) {
  const { LanguageClient } = require('vscode-languageclient/node');
  const documentSelector = [{ language: 'python' }];
  const client = new LanguageClient(name, { command, args }, { documentSelector, middleware });
  context.subscriptions.push(client);
  client.start();
}

exports.activate = (context) => standIns[context.extension.id]?.(context);
