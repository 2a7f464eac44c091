from tests.saved_pipelines import *  # noqa: F403
