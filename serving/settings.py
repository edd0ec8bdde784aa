"""Everything that the environment decides, read once; this is the only module that looks at it."""

import os
import re
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.backends import Precision
from models.registry import LIVE
from models.weights import DEFAULT_ENCODER
from serving.errors import BadSettings

Words = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Each field is the environment variable FRONTDESK_ and its name; lists are separated by commas."""

    model_config = SettingsConfigDict(env_prefix="FRONTDESK_", frozen=True, extra="ignore", env_ignore_empty=True)

    data_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("frontdesk")),
        description="The folder with everything of one desk: database, bundles, index.",
    )
    cache_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_cache_dir("frontdesk")),
        description="The folder with fetched and converted encoders, shared by all desks.",
    )
    database_url: str = Field(default="", description="postgresql://… instead of SQLite in the data folder.")
    encoder: str = Field(default=DEFAULT_ENCODER, description="A Hugging Face id or a local folder.")
    backend: str = Field(default="auto", description="auto, openvino or torch.")
    precision: Precision = Field(default=Precision.AUTO, description="auto, float32 or bfloat16.")
    threads: int = Field(default=0, ge=0, le=1024, description="CPU threads of the encoder; 0 takes all.")
    bundle: str = Field(
        default=LIVE, description="The bundle that serves: live is the promoted one; a name or a folder pins another."
    )
    taxonomy: Path | None = Field(default=None, description="The taxonomy file; by default the starter's.")
    policy: Path | None = Field(default=None, description="The channel policy file; by default the starter's.")
    languages: Words = Field(
        default=("en", "vi", "th", "zh-Hans", "zh-Hant", "ru", "es", "pt", "fr", "de", "ja", "id"),
        description="The languages that customers write, as BCP 47 codes.",
    )
    regions: Words = Field(
        default=("VN", "TH", "TW", "HK", "CN", "RU", "GB", "US"),
        description="Countries in whose national format phone numbers are read, the likeliest first.",
    )
    order_patterns: Words = Field(
        default=(), description="Regular expressions of order numbers, instead of the built-in ones."
    )
    text_days: int = Field(
        default=30, ge=0, le=3650, description="Days for which message texts are kept; 0 keeps none."
    )
    answer_precision: float = Field(
        default=0.9, ge=0.8, le=1, description="Share of answers that are to be right; a higher one gives fewer."
    )
    index_exact_up_to: int = Field(
        default=50_000, ge=0, description="Windows of articles up to which each is compared with a question."
    )
    index_recall: float = Field(
        default=0.97, gt=0, le=1, description="Share of the nearest windows that a search finds when there are more."
    )
    require_keys: bool = Field(default=False, description="Ask for API keys on loopback addresses too.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @field_validator("languages", "regions", "order_patterns", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        # Not within braces: `\d{4,8}` is one pattern.
        return tuple(part.strip() for part in re.split(r",(?![^{}]*\})", value) if part.strip())

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("it can be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'frontdesk.db'}"


def read_settings() -> Settings:
    """The settings of this process.

    Raises:
        BadSettings: naming each variable, its value and what it may be.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"FRONTDESK_{str(problem['loc'][0]).upper()} is {problem['input']!r}: {problem['msg']}."
            for problem in error.errors()
        ]
        raise BadSettings("\n".join(lines)) from error


def ensure_data_folder(folder: Path) -> None:
    """Create the data folder where its parent exists; a missing parent is more likely a slip than a wish.

    Raises:
        BadSettings: when the folder is missing with its parent, is a file, or cannot be written.
    """
    default = Settings.model_fields["data_dir"].get_default(call_default_factory=True)
    try:
        folder.mkdir(parents=folder == default, exist_ok=True)
    except FileNotFoundError as error:
        raise BadSettings(
            f"The data folder {folder} does not exist, and neither does {folder.parent}. "
            "Create it, or set FRONTDESK_DATA_DIR to a folder that exists."
        ) from error
    except OSError as error:
        raise BadSettings(f"{folder} cannot be the data folder ({error.strerror}). Set FRONTDESK_DATA_DIR.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadSettings(f"The data folder {folder} is not writable. Mend its rights or set FRONTDESK_DATA_DIR.")
