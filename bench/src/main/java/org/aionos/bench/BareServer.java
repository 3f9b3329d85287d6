package org.aionos.bench;

import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Promise;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * The baseline: the gateway's Jetty, with the gateway's connector and threads, and nothing behind
 * it. It reads a body as the gateway does and sends it back.
 */
public final class BareServer {

  private static final int THREADS_MAX = 200;
  private static final int THREADS_MIN = 8;
  private static final int HEADER_BYTES_MAX = 16_384;
  private static final int BODY_BYTES_MAX = 1_048_576;
  private static final long IDLE_MILLIS_MAX = 60_000;

  private BareServer() {}

  /** Serves on a port of this machine until the process is stopped. */
  public static void main(String[] args) throws Exception {
    Server server = new Server(new QueuedThreadPool(THREADS_MAX, THREADS_MIN));
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setRequestHeaderSize(HEADER_BYTES_MAX);
    http.setUriCompliance(UriCompliance.UNSAFE);
    ServerConnector connector =
        new ServerConnector(
            server, new HttpConnectionFactory(http), new HTTP2CServerConnectionFactory(http));
    connector.setHost("127.0.0.1");
    connector.setPort(Integer.parseInt(args[0]));
    connector.setIdleTimeout(IDLE_MILLIS_MAX);
    server.addConnector(connector);
    server.setHandler(new Echo());
    server.start();
    server.join();
  }

  private static final class Echo extends Handler.Abstract {

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
      Content.Source.asByteArrayAsync(
          request,
          BODY_BYTES_MAX,
          new Promise.Invocable<byte[]>() {
            @Override
            public void succeeded(byte[] body) {
              response.setStatus(200);
              response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
              response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
              response.write(true, ByteBuffer.wrap(body), callback);
            }

            @Override
            public void failed(Throwable failure) {
              callback.failed(failure);
            }

            @Override
            public InvocationType getInvocationType() {
              return InvocationType.BLOCKING;
            }
          });
      return true;
    }
  }
}
