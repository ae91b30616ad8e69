"""The service as a process: the version behind the alias, watched, until somebody ends it."""

import logging

import uvicorn

from baton_handoff.contracts.quick import check_short_tables_quickly
from baton_handoff.model.loaded import import_model_code, open_version
from baton_handoff.project import Project
from baton_handoff.service.prediction_log import PredictionLog
from baton_handoff.service.watch import Watch, brought, fetching


def serve(project: Project, host: str, port: int) -> None:
    """Answer over HTTP until SIGTERM or Ctrl+C, and then finish what was accepted.

    Raises:
        HandoffError: There is no version to serve, or it was made by other code.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    process = fetching(project)  # which takes as long as the imports that follow
    code = import_model_code(project)
    create = project.room("serving.app").create
    check_short_tables_quickly()
    loaded = open_version(brought(process), code)
    app = create(loaded)
    serving = app.state.serving
    serving.settings = project.service
    if project.service.log_share:
        serving.log = PredictionLog(project.predictions, project.service.log_share)
    watch = Watch(project, serving, code)
    print(
        f"{loaded.model} version {loaded.version} answers on http://{host}:{port}"
        " (its API on /docs; Ctrl+C ends it).",
        flush=True,
    )
    watch.start()
    try:
        uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=30)
    finally:
        watch.stop()
