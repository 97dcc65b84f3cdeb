"""The lab's page, and the fragments that htmx swaps into it."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from ...hosting.admission import ADMITTED
from ...lab.chain import Chain, InvalidChain, fit, read_chain, write_chain
from ...lab.laboratory import Stage
from ...lab.samples import FIRST_PICTURE, SAMPLE_PICTURES
from ..templates import render
from .forms import (
    DEFAULT_CHAIN,
    DRAWING,
    OWN,
    LabForm,
    LabQueryDep,
    LabRequest,
    LabRequestDep,
    laboratory_of,
)
from .view import operation_groups, view_cell, view_stages

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/lab", dependencies=[ADMITTED])
def show_lab(request: Request, query: LabQueryDep) -> Response:
    """Show the lab with the chain that the address holds. A picture that it cannot hold is asked for by the page."""
    laboratory, notes = laboratory_of(request), []
    form = LabForm(**query.model_dump())
    if query.picture not in SAMPLE_PICTURES:
        if query.picture not in {OWN, DRAWING}:
            notes.append(f"There is no sample picture “{query.picture[:60]}”; here is the first one.")
        form = form.model_copy(update={"picture": FIRST_PICTURE})
    try:
        read_chain(form.chain)
    except InvalidChain as error:
        notes.append(f"{error} Here is the chain that the lab opens with.")
        form = form.model_copy(update={"chain": DEFAULT_CHAIN})
    lab = LabRequest(form, laboratory.sample(form.picture, form.grey), laboratory)
    context = _context(lab, notes)
    context |= {"samples": SAMPLE_PICTURES.values(), "asked": query.picture, "query": query}
    return render(request, "lab.html", context)


@router.post("/lab/chain")
def post_chain(request: Request, lab: LabRequestDep) -> Response:
    """Show the picture and what each step makes of it."""
    return render(request, "_lab_chain.html", _context(lab, []))


@router.post("/lab/cell")
def post_lab_cell(request: Request, lab: LabRequestDep) -> Response:
    """Show the microscope alone, on one cell."""
    _, stages, _ = _run(lab)
    return render(request, "_lab_microscope.html", _cell_context(lab.form, stages))


def _run(lab: LabRequest) -> tuple[Chain, list[Stage], list[str]]:
    """Run the form's chain, its settings lowered to what is possible. Returns: also what was changed, in sentences."""
    first = lab.laboratory.open(lab.source)
    chain, changes = fit(read_chain(lab.form.chain), first.size)
    return chain, lab.laboratory.run(lab.source, chain), changes


def _context(lab: LabRequest, notes: list[str]) -> dict[str, Any]:
    chain, stages, changes = _run(lab)
    return {
        "views": view_stages(stages, chain, lab.form),
        "chain": write_chain(chain),
        "form": lab.form,
        "notes": [*notes, *changes],
        "groups": operation_groups(),
        **_cell_context(lab.form, stages),
    }


def _cell_context(form: LabForm, stages: list[Stage]) -> dict[str, Any]:
    return {"panel": view_cell(stages, form), "selection": form}
