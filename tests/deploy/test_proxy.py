"""The example of a proxy in deploy/README.md fits the settings that stand beside it."""

import re

from tests.deploy import composition, images

README = (images.CHECKOUT / "deploy" / "README.md").read_text(encoding="utf-8")


def servers() -> list[str]:
    """Return the blocks of the example, each without the word before it."""
    example = re.findall(r"^```nginx\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert len(example) == 1
    return re.findall(r"^server \{(.*?)^\}", example[0], re.DOTALL | re.MULTILINE)


def test_the_proxy_serves_the_gateway_under_a_name_of_its_own() -> None:
    named = re.search(r"^#ALLOWED_HOSTS=(\S+)$", composition.EXAMPLE.read_text(), re.MULTILINE)
    assert named is not None
    others, gateway = servers()

    assert re.findall(r"server_name ([^;]+);", gateway) == [named[1]]
    assert "proxy_set_header Host $host;" in gateway
    # Whoever asks for another name comes to the default server, which leads nowhere.
    assert "default_server;" in others
    assert "ssl_reject_handshake on;" in others
    assert "proxy_pass" not in others
