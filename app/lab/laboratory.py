"""Running chains: each picture that a step makes is remembered, so that only what follows a change is computed."""

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
from PIL import Image

from ..imaging.drawing import DEFAULT_LIMITS, DrawingLimits, DrawingTooLarge, decode
from ..library.kept import Kept
from .chain import Chain, check_cost
from .measures import Enlarged, Statistics, compare_enlarged, compare_shifted, reach_of, shift
from .operation import Operation
from .planes import PixelSize, Planes, read_planes, size_of
from .samples import SAMPLE_PICTURES, open_sample

MAX_PIXELS = 2048 * 2048
_CHAINS = 2  # as large as the last one: what is remembered
_LEAST_KEPT = 2**26  # bytes
_Thing = TypeVar("_Thing")


class UnknownSample(LookupError):
    """There is no sample picture of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no sample picture “{name[:60]}”. There are {', '.join(SAMPLE_PICTURES)}.")


class PictureForgotten(LookupError):
    """A picture was named by its digest, and is not remembered any more."""

    def __init__(self) -> None:
        super().__init__("The server no longer has this picture. Send it again.")


class NoStep(LookupError):
    """The chain has no such step."""

    def __init__(self, step: int, count: int) -> None:
        super().__init__(f"There is no step {step}: this chain has {count}, and 0 is the picture itself.")


class NoCell(LookupError):
    """The picture that a step made has no such cell."""


@dataclass(frozen=True)
class Source:
    """A picture to work on: a sample, or a file that was sent, known by its digest."""

    key: str
    grey: bool
    open: Callable[[], Image.Image] = field(compare=False)


@dataclass(frozen=True)
class Stage:
    """What one step made, or the picture itself. The measures are worked out when they are asked for."""

    planes: Planes
    step: Operation | None
    before: "Stage | None"
    identity: str  # differs from that of any other stage

    @property
    def size(self) -> PixelSize:
        return size_of(self.planes)

    @property
    def channels(self) -> int:
        return len(self.planes)

    @property
    def stages(self) -> "list[Stage]":
        """The stages up to this one, the picture first."""
        return [*(self.before.stages if self.before else []), self]

    @property
    def chain(self) -> Chain:
        return tuple(each.step for each in self.stages if each.step is not None)

    @property
    def first(self) -> "Stage":
        return self.before.first if self.before else self

    @cached_property
    def extremes(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        return float(self.planes.min()), float(self.planes.max())

    @cached_property
    def statistics(self) -> Statistics:
        return Statistics.of(self.planes)

    @property
    def share(self) -> float:
        """How many of the picture's pixels are left, from 0 to 1; more where padding added some."""
        return math.prod(self.size) / math.prod(self.first.size)

    @property
    def pooled(self) -> "Stage | None":
        """What the poolings that end here were given; None where this step is no pooling."""
        if self.step is None or self.before is None or not self.step.is_pooling:
            return None
        return self.before.pooled or self.before

    @cached_property
    def enlarged(self) -> Enlarged | None:
        """How the picture, enlarged again, differs from what its poolings were given."""
        return compare_enlarged(self.planes, self.pooled.planes) if self.pooled else None

    @cached_property
    def change_under_shift(self) -> float | None:
        """What a shift by one pixel changes, as a share of the deviation.

        Asked of the last stage, all others know theirs.
        """
        first, *stages = self.stages
        moved = shift(first.planes)
        for number, stage in enumerate(stages, 1):
            assert stage.step is not None
            with np.errstate(invalid="ignore", over="ignore"):
                moved = stage.step.compute(moved)  # not kept, as it is as large as the pictures are
            if stage is not self and "change_under_shift" not in vars(stage):
                vars(stage)["change_under_shift"] = compare_shifted(stage.planes, moved, reach_of(self.chain[:number]))
        return compare_shifted(self.planes, moved, reach_of(self.chain)) if stages else None

    @property
    def nbytes(self) -> int:
        return self.planes.nbytes


class Laboratory:
    """Runs chains, and remembers what was made on the way. Thread-safe."""

    def __init__(self, kept: Kept, limits: DrawingLimits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self._kept = kept
        self._remembered: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()  # the newest last, with its bytes
        self._lock = threading.Lock()

    def sample(self, name: str, grey: bool = False) -> Source:
        """Return a sample picture. Raises: UnknownSample."""
        if name not in SAMPLE_PICTURES:
            raise UnknownSample(name)
        return Source(f"sample {name}", grey, lambda: open_sample(name))

    def picture(self, data: bytes, grey: bool = False) -> Source:
        """Return a picture file that was sent, and remember it by its digest.

        Raises: InvalidDrawing, DrawingTooLarge.
        """
        digest = hashlib.sha256(data).hexdigest()
        picture = self._find(("picture", digest), Image.Image)
        if picture is None:
            picture = decode(data, self.limits)
            if math.prod(picture.size) > MAX_PIXELS:
                raise DrawingTooLarge(
                    f"The picture has {picture.width:,}×{picture.height:,} pixels, {math.prod(picture.size):,} in all; "
                    f"the lab takes {MAX_PIXELS:,}, as of 2,048×2,048. Make it smaller, then send that."
                )
            self._remember(("picture", digest), picture, math.prod(picture.size) * len(picture.getbands()))
        return self._sent(digest, picture, grey)

    def known(self, digest: str, grey: bool = False) -> Source:
        """Return a picture that was sent before, by the SHA-256 of its file. Raises: PictureForgotten."""
        picture = self._find(("picture", digest), Image.Image)
        if picture is None:
            raise PictureForgotten
        return self._sent(digest, picture, grey)

    def _sent(self, digest: str, picture: Image.Image, grey: bool) -> Source:
        return Source(digest, grey, lambda: picture)

    def open(self, source: Source) -> Stage:
        """Return the picture as the first stage."""
        key = ("lab", source.key, source.grey)
        stage = self._find(key, Stage)
        if stage is None:
            stage = Stage(read_planes(source.open(), source.grey), None, None, f"{source.key}.{source.grey}")
            self._remember(key, stage, stage.nbytes)
        return stage

    def run(self, source: Source, chain: Sequence[Operation]) -> list[Stage]:
        """Return the picture and what each step makes of it. Raises: InvalidChain."""
        stages = [self.open(source)]
        check_cost(chain, stages[0].size, stages[0].channels)
        for number, step in enumerate(chain, 1):
            key = ("lab", source.key, source.grey, *chain[:number])
            stage = self._find(key, Stage)
            if stage is None or stage.before is not stages[-1]:
                stage = self._take(step, stages[-1])
                self._remember(key, stage, stage.nbytes)
            stages.append(stage)
        self._let_go_of_old(_CHAINS * sum(each.nbytes for each in stages))
        return stages

    def _let_go_of_old(self, most: int) -> None:
        """Forget the oldest things beyond so many bytes: memory that is used again costs less than fresh one."""
        with self._lock:
            size, gone = sum(nbytes for _, nbytes in self._remembered.values()), []
            while size > max(most, _LEAST_KEPT):
                key, (_, nbytes) = self._remembered.popitem(last=False)
                size -= nbytes
                gone.append(key)
        for key in gone:
            self._kept.forget(key)

    def _take(self, step: Operation, before: Stage) -> Stage:
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            planes = step.compute(before.planes)
        return Stage(planes, step, before, hashlib.sha256(f"{before.identity} {step!r}".encode()).hexdigest()[:20])

    def _find(self, key: Hashable, kind: type[_Thing]) -> _Thing | None:
        with self._lock:
            found, _ = self._remembered.get(key, (None, 0))
            if found is not None:
                self._remembered.move_to_end(key)
        if found is not None:
            self._kept.touch(key)
        return found if isinstance(found, kind) else None

    def _remember(self, key: Hashable, thing: object, nbytes: int) -> None:
        with self._lock:
            self._remembered[key] = thing, nbytes
        self._kept.put(key, nbytes, lambda: self._forget(key))

    def _forget(self, key: Hashable) -> None:
        with self._lock:
            self._remembered.pop(key, None)
