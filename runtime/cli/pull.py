"""`seta catalog pull`: the message templates that WhatsApp has approved, into the catalog file."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import click
from msgspec.structs import replace

from compiler.catalog import Catalog, Template, TemplateParam
from compiler.own import NAME, Own, own_entries, problem
from compiler.reports import listed as named
from runtime.cli import freeze
from runtime.cli.problems import Problem
from runtime.connections.declared import Connection, WhatsAppCloud
from runtime.connections.guard import Guard
from runtime.connections.http import HttpClient, aiohttp_transport
from runtime.connections.ready import Signed, untold
from runtime.connections.whatsapp_cloud import WhatsAppCloud as Client
from runtime.connections.whatsapp_templates import Listed, Param
from runtime.failures import StepFailure
from runtime.folder import FolderError, folder_catalog, folder_settings
from runtime.needs import for_one
from runtime.settings import Opening
from runtime.steps import catalog


@dataclass(frozen=True, slots=True)
class Pulled:
    """What the file has to list now, and what that changes. `left` are templates that WhatsApp does not list."""

    entries: list[Own]
    new: list[str]
    changed: list[str]
    left: list[str]
    unusable: list[str]  # a sentence each


def pull(flows: Path, via: str | None, openings: Iterable[Opening]) -> None:
    """Write what WhatsApp lists into the catalog file of a folder, and say what has changed."""
    try:
        settings, known = folder_settings(flows), folder_catalog(flows, catalog())
    except FolderError as error:
        raise Problem(str(error)) from error
    name, connection = _chosen(settings.connections, via)
    found = for_one(name, connection, flows, os.environ)
    if found.missing:
        raise Problem("; ".join(found.missing))
    listed = asyncio.run(_ask(Signed(name, connection, found.secrets), openings))
    pulled = together(listed, own_entries(known), connection.language, catalog())
    freeze.put(flows / NAME, pulled.entries)
    for what, names in (
        ("new", pulled.new),
        ("changed", pulled.changed),
        (f"in the file, but not approved for `{name}`", pulled.left),
    ):
        if names:
            click.echo(f"{what}: {', '.join(names)}")
    for sentence in pulled.unusable:
        click.echo(f"not written: {sentence}", err=True)


def _chosen(connections: Mapping[str, Connection], via: str | None) -> tuple[str, WhatsAppCloud]:
    """The connection that is asked. Raises Problem."""
    fitting = {name: one for name, one in connections.items() if isinstance(one, WhatsAppCloud)}
    if via is None and len(fitting) > 1:
        raise Problem(f"say with --via which of {named(fitting)} is asked")
    name = via or next(iter(fitting), "")
    if name not in fitting:
        wanted = f"`{name}`, which is none" if name else "one, and there is none"
        raise Problem(f"templates come from a connection of kind whatsapp_cloud in seta.toml: {wanted}")
    if not fitting[name].account:
        raise Problem(f"[connections.{name}] in seta.toml needs `account`: Meta's id of the WhatsApp Business account")
    return name, fitting[name]


async def _ask(service: Signed, openings: Iterable[Opening]) -> list[Listed]:
    """What WhatsApp lists. Raises Problem."""
    told = service.declared
    if not isinstance(told, WhatsAppCloud):
        raise TypeError(told)
    http = HttpClient(aiohttp_transport(Guard(openings)))
    try:
        with untold(service.hidden):
            client = Client(http, told.number_id, service.secrets[told.token], told.url, told.seconds)
            return await client.templates(told.account)
    except StepFailure as failure:
        raise Problem(failure.message) from failure
    finally:
        await http.close()


# What the file lists then -------------------------------------------------------------------------


def together(listed: Iterable[Listed], before: list[Own], language: str, known: Catalog) -> Pulled:
    """What the file has to list: its Python, what WhatsApp lists, and the templates that WhatsApp does not.

    Of several languages the file's counts, or `language`, or else the first. What people have written of a parameter
    that stays, its type and its words, stays too.
    """
    old = {entry.name: entry for entry in before if isinstance(entry, Template)}
    fresh, unusable = _fresh(listed, old, language, known)
    return Pulled(
        [*(entry for entry in before if not isinstance(entry, Template)), *({**old, **fresh}).values()],
        new=sorted(fresh.keys() - old.keys()),
        changed=sorted(name for name in fresh.keys() & old.keys() if fresh[name] != old[name]),
        left=sorted(old.keys() - fresh.keys()),
        unusable=unusable,
    )


def _fresh(
    listed: Iterable[Listed], old: Mapping[str, Template], language: str, known: Catalog
) -> tuple[dict[str, Template], list[str]]:
    fresh: dict[str, Template] = {}
    unusable: list[str] = []
    for name, group in groupby(sorted(listed, key=lambda one: (one.name, one.language)), key=lambda one: one.name):
        chosen = _in_language(list(group), old[name].language if name in old else language, language)
        template = _template(chosen, old.get(name))
        if chosen.unsendable:
            unusable.append(f'the template "{name}": {chosen.unsendable}')
        elif (wrong := problem(template, known)) is not None:
            unusable.append(wrong)
        else:
            fresh[name] = template
    return fresh, unusable


def _in_language(group: list[Listed], *wanted: str) -> Listed:
    there = {one.language: one for one in group}
    return next((there[language] for language in wanted if language in there), group[0])


def _template(listed: Listed, old: Template | None) -> Template:
    known = {(param.name, param.part): param for param in old.params} if old is not None else {}
    params = tuple(known.get((param.name, param.part)) or _param(param) for param in listed.params)
    if old is not None:
        return replace(old, language=listed.language, params=params)
    return Template(listed.name, listed.language, params, " ".join(listed.text.split()))


def _param(param: Param) -> TemplateParam:
    kind = "url" if param.media else "decimal" if param.exact else "text"
    return TemplateParam(param.name, kind, part=param.part)
