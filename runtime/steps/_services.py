"""The verbs over services that have clients of their own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runtime.connections import declared
from runtime.connections.asking import Asks
from runtime.connections.hablla import Hablla, Login
from runtime.connections.pace import Pace, Paces
from runtime.connections.ready import Signed, untold
from runtime.connections.whatsapp_cloud import WhatsAppCloud
from runtime.context import Call, RemoteVerb
from runtime.steps import find_person, send_hsm, tag_person, upsert_person


def service_verbs(http: Asks, service: Signed, paces: Paces) -> dict[str, RemoteVerb]:
    """What each verb does over a service, under its title. Their failures tell no secret."""
    return {title: _discreet(verb, service.hidden) for title, verb in _verbs(http, service, paces).items()}


def _verbs(http: Asks, service: Signed, paces: Paces) -> dict[str, RemoteVerb]:
    match service.declared:
        case declared.WhatsAppCloud() as told:
            return _whatsapp(http, told, service.secrets, paces.of(told.number_id, told.per_second))
        case declared.Hablla() as told:
            return _hablla(http, service.name, told, service.secrets)


def _whatsapp(
    http: Asks, told: declared.WhatsAppCloud, secrets: Mapping[str, str], pace: Pace
) -> dict[str, RemoteVerb]:
    cloud = WhatsAppCloud(http, told.number_id, secrets[told.token], told.url, told.seconds)
    return {send_hsm.SIGNATURE.title: send_hsm.over_whatsapp(cloud, told.language, pace, other_form=told.other_form)}


def _hablla(http: Asks, name: str, told: declared.Hablla, secrets: Mapping[str, str]) -> dict[str, RemoteVerb]:
    hablla = Hablla(http, told.workspace, _access(told.auth, secrets), told.url, told.seconds)
    done = {
        find_person.SIGNATURE.title: find_person.over_hablla(hablla, name),
        tag_person.SIGNATURE.title: tag_person.over_hablla(hablla, name),
        upsert_person.SIGNATURE.title: upsert_person.over_hablla(hablla, name),
    }
    if told.channel:
        done[send_hsm.SIGNATURE.title] = send_hsm.over_hablla(hablla, name, told.channel, told.sector)
    return done


def _access(auth: declared.Token | declared.Login, secrets: Mapping[str, str]) -> str | Login:
    match auth:
        case declared.Token(token=token):
            return secrets[token]
        case declared.Login(email=email, password=password):
            return Login(secrets.get(email, email), secrets[password])


def _discreet(verb: RemoteVerb, hidden: tuple[str, ...]) -> RemoteVerb:
    async def perform(call: Call) -> Any:
        with untold(hidden):
            return await verb.perform(call)

    return replace(verb, perform=perform)
