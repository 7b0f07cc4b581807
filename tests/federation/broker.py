"""A real ActiveMQ that speaks STOMP over TLS and asks for client certificates, as the accounting brokers do.

It keeps its messages on disk, so that it can be stopped and started again on the same port with what it held.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from pathlib import Path
from typing import List, Optional
from xml.sax.saxutils import quoteattr

from tests.federation.authority import PASSWORD, Authority, Credential, key_store, trust_store
from tests.federation.controller import Controller

_JARS = """
activemq-broker activemq-client activemq-console activemq-jaas activemq-kahadb-store activemq-openwire-legacy
activemq-spring activemq-stomp activemq-protobuf hawtbuf xbean-spring spring3-beans spring3-context spring3-core
spring3-expression spring3-aop geronimo-jms_1.1_spec geronimo-j2ee-management-1.1-spec geronimo-annotation-1.3-spec
slf4j-api slf4j-jdk14 jcl-over-slf4j commons-logging
""".split()

_BROKER = """<?xml version="1.0" encoding="UTF-8"?>
<beans xmlns="http://www.springframework.org/schema/beans"
       xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
       xsi:schemaLocation="http://www.springframework.org/schema/beans
                           http://www.springframework.org/schema/beans/spring-beans.xsd
                           http://activemq.apache.org/schema/core
                           http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="box" persistent="true" useJmx="false"
          advisorySupport="false" schedulerSupport="false" useShutdownHook="true" dataDirectory={data}>
    <persistenceAdapter>
      <kahaDB directory={data} journalMaxFileLength="32mb"/>
    </persistenceAdapter>
    <systemUsage>
      <systemUsage>
        <storeUsage><storeUsage limit="2 gb"/></storeUsage>
        <tempUsage><tempUsage limit="64 mb"/></tempUsage>
      </systemUsage>
    </systemUsage>
    <sslContext>
      <sslContext keyStore={keys} keyStoreType="PKCS12" keyStorePassword="{password}"
                  trustStore={trust} trustStoreType="JKS" trustStorePassword="{password}"/>
    </sslContext>
    <transportConnectors>
      <transportConnector name="stomp" uri={uri}/>
    </transportConnectors>
  </broker>
</beans>
"""


class Broker(Controller):
    """ActiveMQ on one port, trusting the clients of one CA.

    ``max_frame_size`` in bytes: what is larger makes the broker cut the connection. ``plain`` serves without TLS.
    """

    name = "activemq"
    stop_seconds = 20.0

    def __init__(
        self,
        directory: Path,
        authority: Authority,
        *,
        credential: Optional[Credential] = None,
        port: Optional[int] = None,
        heap: str = "256m",
        max_frame_size: Optional[int] = None,
        plain: bool = False,
    ) -> None:
        super().__init__(directory, port)
        self.authority = authority
        self.credential = credential or authority.host("broker.example.org", file=f"broker-{self.port}")
        self.client = authority.host("probe.example.org", file=f"probe-{self.port}")
        self.heap = heap
        self.max_frame_size = max_frame_size
        self.plain = plain

    @property
    def url(self) -> str:
        """The broker's address as the agent's configuration writes it."""
        return f"{'stomp' if self.plain else 'stomp+ssl'}://localhost:{self.port}"

    def prepare(self) -> None:
        """Write the stores and the broker's description; a restart finds its old messages."""
        keys, trust = self.directory / "keys.p12", self.directory / "trust.jks"
        if not trust.exists():
            trust_store(self.authority, trust)
        key_store(self.credential, keys)
        options = ["transport.hbGracePeriodMultiplier=2.0"]
        if not self.plain:
            options.append("needClientAuth=true")
        if self.max_frame_size is not None:
            options.append(f"wireFormat.maxFrameSize={self.max_frame_size}")
        (self.directory / "broker.xml").write_text(
            _BROKER.format(
                data=quoteattr(str(self.directory / "data")),
                keys=quoteattr(keys.as_uri()),
                trust=quoteattr(trust.as_uri()),
                password=PASSWORD,
                uri=quoteattr(f"{'stomp' if self.plain else 'stomp+ssl'}://127.0.0.1:{self.port}?{'&'.join(options)}"),
            )
        )

    def command(self) -> List[str]:
        """Start the console class from the jars of the distribution's packages."""
        path = os.pathsep.join([str(self.directory), *(f"/usr/share/java/{jar}.jar" for jar in _JARS)])
        return [
            *("java", f"-Xmx{self.heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"),
            *(f"-Dactivemq.base={self.directory}", f"-Dactivemq.home={self.directory}"),
            *(f"-Djava.io.tmpdir={self.directory}", "-cp", path),
            *("org.apache.activemq.console.Main", "start", "xbean:broker.xml"),
        ]

    def is_ready(self) -> bool:
        """Tell whether it answers a STOMP frame: the port opens before the broker behind it serves."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as raw:
                connection: socket.socket = raw
                if not self.plain:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                    # an expired certificate is a case to be tried, and this is not the one who tries it
                    context.check_hostname = False
                    context.verify_mode = ssl.CERT_NONE
                    context.load_cert_chain(self.client.certificate, self.client.key)
                    connection = context.wrap_socket(raw)
                with connection:
                    connection.sendall(b"CONNECT\naccept-version:1.1\nhost:localhost\n\n\0")
                    return connection.recv(9) == b"CONNECTED"
        except OSError:
            time.sleep(0.2)
            return False
