"""Words that people type for a command, beyond those of its title and its sentence in the help."""

from __future__ import annotations

from dataclasses import dataclass

from tui_backprop.keys.panel_table import ROWS

SEARCH_WORDS = {
    "panel('network')": "architecture layers activation optimizer learning rate preset data seed settings form",
    "panel('cost')": "naive numerical time speed flops how much faster compare",
    "panel('blame')": "attribution ranking importance responsible credit largest gradient",
    "panel('number')": "chain rule derivative partial term by term inspect value entry explain",
    "panel('graph')": "autodiff autograd tape dag operations vjp chain rule detach no_grad zero_grad backward",
    "panel('flow')": "stuck dead nan inf vanishing exploding saturated health diagnose problem not learning",
    "panel('curves')": "derivative slope plot relu loss landscape surface",
    "panel('train')": "accuracy learn fit epoch loss curve updates validation overfitting",
    "panel('text')": "generate sample names letters token next temperature prompt attention why say",
    "panel('bookmarks')": "compare diff saved snapshot",
    "page('claims')": "claims lesson statements true",
    "page('race')": "race naive numerical gradient perturb perturbation finite difference check forward central spsa",
    "page('step_size')": "epsilon h finite difference numerical derivative error round-off truncation kink precision",
    "page('ledger')": "ledger memory bytes ram flops macs time per layer activations kept",
    "page('reuse')": "reuse paths chain rule dynamic programming exponential shared",
    "start_training": "fit learn run optimize",
    "train": "update optimizer.step iteration backward",
    "other_part": "validation held out test split samples",
    "repeat": "same samples batch again overfit",
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
    "hessian": "hessian second derivatives curvature eigenvalues newton hvp",
    "quiz": "questions test exam knowledge answers",
    "break_it": "bug hunt debug wrong gradient exercise find error",
    "predict": "guess quiz hide test yourself exercise",
    "guess": "predict answer type",
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


@dataclass(frozen=True, eq=False, repr=False)
class FormCommand:
    """A command that chooses a ``value`` of a field in the network form, and goes to the ``row`` that this asks for:
    its ``title``, a sentence of ``help``, and more ``words`` that find it."""

    title: str
    help: str
    words: str
    name: str
    value: str
    row: str

    @property
    def id(self) -> str:
        return f"form('{self.row}')"


FORM_COMMANDS = (
    FormCommand(
        "Open data…",
        "Samples from a CSV, TSV, npz, npy or IDX file.",
        "import load read own dataset samples csv tsv table spreadsheet excel pandas numpy npz npy idx mnist file",
        "data",
        "file",
        "file",
    ),
    FormCommand(
        "Type a sample…",
        "Inputs and targets, typed into the form.",
        "own data samples exercise x y input target enter numbers paper textbook custom",
        "data",
        "typed",
        "x",
    ),
    FormCommand(
        "Load weights…",
        "Initial parameters from an npz or safetensors file, in the names of this program or of PyTorch.",
        "import open own parameters biases checkpoint state_dict npz numpy safetensors pytorch torch model pretrained"
        " file",
        "weights",
        "file",
        "weights-file",
    ),
    FormCommand(
        "Type weights…",
        "Initial parameters, typed into the form: W1=[[.15, .25], [.2, .3]], b1=.35.",
        "own parameters biases exercise given numbers set enter paper textbook initial custom",
        "weights",
        "typed",
        "set",
    ),
)
