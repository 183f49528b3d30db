"""A small click log in Globo's published format: few articles, regions and times, so that everything ties."""

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exfm_core.data.public.globo import HOUR_MS, ORIGIN_MS

from .raw import write

HEADER = (
    "user_id,session_id,session_start,session_size,click_article_id,click_timestamp,click_environment,"
    "click_deviceGroup,click_os,click_country,click_region,click_referrer_type"
)
REGIONS = (25, 25, 25, 25, 21, 21, 13, 8, 16, 28, 5, 7, 14, 2)


@dataclass(frozen=True)
class Click:
    """One line of the log; ``time`` in ms after the log's first hour began."""

    user: int
    article: int
    time: int
    region: int

    @property
    def line(self) -> str:
        at = ORIGIN_MS + self.time
        return f"{self.user},{at}00,{at - 1000},2,{self.article},{at},4,1,17,1,{self.region},{self.user % 7 + 1}"


def clicks(count: int = 1500, hours: float = 8, seed: int = 0, step_ms: int = 20_000) -> list[Click]:
    """Draw clicks whose articles come and go; times are multiples of ``step_ms``. A few users move between regions."""
    draw = np.random.default_rng(seed)
    times = np.sort(draw.integers(0, int(hours * HOUR_MS) // step_ms, count)) * step_ms
    made = []
    for time in times.tolist():
        user = int(draw.integers(0, 60))
        article = 100 + int(draw.integers(0, 8)) + 6 * (time // HOUR_MS)
        region = REGIONS[user % len(REGIONS)] if draw.random() > 0.1 else 25
        made.append(Click(user, article, time, region))
    return list(dict.fromkeys(made))


def write_log(folder: Path, log: list[Click], *, suffix: str = "") -> Path:
    """Write the hourly files; each holds the clicks of sessions that started in it, here of the click's own hour."""
    hours = max(click.time for click in log) // HOUR_MS + 1
    for hour in range(hours):
        mine = [click.line for click in log if click.time // HOUR_MS == hour]
        write(folder / f"clicks_hour_{hour:03d}.csv{suffix}", HEADER, *mine)
    return folder


def pack(folder: Path, target: Path) -> Path:
    """Pack hourly files as the archive ``clicks.tar.gz``."""
    with tarfile.open(target / "clicks.tar.gz", "w:gz") as bundle:
        for path in sorted(folder.glob("clicks_hour_*")):
            content = path.read_bytes()
            member = tarfile.TarInfo(f"clicks/{path.name}")
            member.size = len(content)
            bundle.addfile(member, io.BytesIO(content))
    return target
