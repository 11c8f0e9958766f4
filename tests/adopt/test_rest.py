"""EXPOSE, VOLUME, USER, STOPSIGNAL and writable folders."""

from __future__ import annotations

from tests.adopt.adopting import found, read

from dockertpl import adopt


def _read(*lines: str) -> adopt.Adoption:
    body = "\n".join(lines)
    return read(f"FROM python:3.13\nWORKDIR /app\nCOPY . .\n{body}\nCMD uvicorn orders.main:app --port 8000\n")


def test_the_port_of_the_command_counts_and_others_stay_exposed() -> None:
    adoption = _read("EXPOSE 8000 9100 8125/udp")
    assert adoption.answers["port"] == 8000
    assert adoption.regions["image"] == "EXPOSE 9100\nEXPOSE 8125/udp\n"


def test_a_folder_that_is_made_or_given_away_is_the_image_s_user_s() -> None:
    adoption = _read("RUN mkdir -p /data uploads && chown app /data /var/spool")
    lines = adoption.regions["image"].splitlines()
    assert "RUN install -d -o 10001 -g 10001 /data" in lines
    assert "RUN install -d -o 10001 -g 10001 /app/uploads" in lines
    assert "RUN chown -R 10001:10001 /var/spool" in lines


def test_settings_stay_root_s() -> None:
    assert _read("RUN mkdir -p /etc/orders").regions["image"] == "RUN mkdir -p /etc/orders\n"


def test_a_volume_can_be_written_to_and_one_of_the_code_is_dropped() -> None:
    adoption = _read('VOLUME ["/data"]', "VOLUME /app")
    assert adoption.regions["image"] == 'RUN install -d -o 10001 -g 10001 /data\nVOLUME ["/data"]\n'
    assert found(adoption)["VOLUME /app"][0] == "dropped"


def test_another_stop_signal_is_kept() -> None:
    assert _read("STOPSIGNAL SIGTERM").regions == {}
    assert _read("STOPSIGNAL SIGINT").regions["image"] == "STOPSIGNAL SIGINT\n"


def test_a_maintainer_becomes_a_label() -> None:
    assert _read("MAINTAINER Jo <jo@example.com>").regions["environment"] == 'LABEL maintainer="Jo <jo@example.com>"\n'


def test_a_port_variable_that_the_command_does_not_read_stays() -> None:
    assert _read("ENV PORT=5000").regions["environment"] == "ENV PORT=5000\n"
    assert found(_read("ENV PORT=8000"))["ENV PORT"][0] == "answer"
