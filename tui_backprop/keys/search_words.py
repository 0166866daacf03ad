"""Words that people type for a command, beyond those of its title and its sentence in the help."""

from __future__ import annotations

from tui_backprop.keys.panel_table import ROWS

SEARCH_WORDS = {
    "panel('network')": "architecture layers activation optimizer learning rate preset data seed settings form",
    "panel('cost')": "naive numerical time speed flops how much faster compare",
    "panel('blame')": "attribution ranking importance responsible credit largest gradient",
    "panel('number')": "chain rule derivative partial term by term inspect value entry explain",
    "panel('graph')": "autodiff autograd tape dag operations vjp chain rule detach no_grad zero_grad backward",
    "panel('flow')": "stuck dead nan inf vanishing exploding saturated health diagnose problem not learning",
    "panel('curves')": "derivative slope plot relu loss landscape surface",
    "panel('train')": "accuracy learn fit epoch loss curve updates",
    "panel('bookmarks')": "compare diff saved snapshot",
    "page('claims')": "claims lesson statements true",
    "page('race')": "race naive numerical gradient perturb perturbation finite difference check forward central spsa",
    "page('step_size')": "epsilon h finite difference numerical derivative error round-off truncation kink precision",
    "page('ledger')": "ledger memory bytes ram flops macs time per layer activations kept",
    "page('reuse')": "reuse paths chain rule dynamic programming exponential shared",
    "start_training": "fit learn run optimize",
    "train": "update optimizer.step iteration backward",
    "confusion": "accuracy wrong errors misclassified",
    "misclassified(1)": "wrong mistake",
    "resume": "resume continue back last earlier",
    "restart": "restart reset initial start over reinitialize",
    "set_bookmark": "save snapshot checkpoint",
    "token": "save share link url open export",
    "torch": "pytorch code python copy clipboard export script",
    "race": "run begin",
    "help": "help keys shortcuts manual legend words",
    "lesson": "tutorial tour introduction guide learn teach course explain",
    "lesson_step(1)": "continue skip tutorial",
    "lesson_step(-1)": "back tutorial",
    "chapters": "tutorial lesson course contents progress list",
    "quiz": "questions test exam knowledge answers",
    "find": "go to search jump",
    "step_on": "next forward",
    "step_back": "previous backward",
    "play": "animate stop",
    "quit": "exit close leave",
    "zoom": "maximize fullscreen larger",
    "edit('zero')": "ablate remove prune perturb",
    "edit('up')": "perturb nudge",
    "edit('down')": "perturb nudge",
    "precision": "float32 float64 double",
    "suspend_process": "background shell",
    "sweep": "measure benchmark",
    "theme": "color colour dark light contrast appearance",
    "screenshot": "save picture image svg export",
}  # fmt: skip

PAGE_COMMANDS = {f"page('{row.name}')": row for row in ROWS if row.page_of and not row.keys}
