package org.aionos.model;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.Phaser;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.client.BytesRequestContent;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.transport.HttpClientTransportOverHTTP;
import org.eclipse.jetty.http.HttpCookieStore;
import org.eclipse.jetty.io.ClientConnector;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections to one provider. Follows no redirect, keeps no cookie. One whose provider is no
 * longer configured lets no new request in, and closes when the last one has ended.
 */
final class Link {

  private static final Logger log = LoggerFactory.getLogger(Link.class);

  private final ModelSettings.Provider provider;
  private final HttpClient client;
  private final Semaphore places;

  /** One party for the configuration and one per request; at zero the client is closed. */
  private final Phaser holders =
      new Phaser(1) {
        @Override
        protected boolean onAdvance(int phase, int parties) {
          if (parties == 0) {
            stop();
          }
          return parties == 0;
        }
      };

  Link(ModelSettings.Provider provider, Executor executor, Scheduler scheduler) {
    this.provider = provider;
    this.places = new Semaphore(provider.concurrencyMax());
    ClientConnector connector = new ClientConnector();
    connector.setSelectors(1);
    connector.setSslContextFactory(tls(provider.caFile()));
    this.client = new HttpClient(new HttpClientTransportOverHTTP(connector));
    client.setExecutor(executor);
    client.setScheduler(scheduler);
    client.setConnectTimeout(provider.connectMax().toMillis());
    client.setIdleTimeout(provider.silenceMax().toMillis());
    client.setMaxConnectionsPerDestination(provider.concurrencyMax());
    client.setFollowRedirects(false);
    client.setHttpCookieStore(new HttpCookieStore.Empty());
    client.setUserAgentField(null);
    client.setName("aion-model-" + provider.name());
    start();
  }

  /** That of the JDK, or one authority alone. */
  private static SslContextFactory.Client tls(@Nullable Path authority) {
    SslContextFactory.Client tls = new SslContextFactory.Client();
    if (authority != null) {
      try (InputStream in = Files.newInputStream(authority)) {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        int count = 0;
        for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
          trusted.setCertificateEntry("ca-" + count++, each);
        }
        tls.setTrustStore(trusted);
      } catch (IOException | GeneralSecurityException unreadable) {
        throw new IllegalStateException("ca_file " + authority + " cannot be used", unreadable);
      }
    }
    return tls;
  }

  private void start() {
    // Jetty finds its parts through the loader of the thread that starts it.
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(HttpClient.class.getClassLoader());
    try {
      client.start();
    } catch (Exception broken) {
      throw new IllegalStateException(broken);
    } finally {
      thread.setContextClassLoader(before);
    }
    // No compression: an answer must not be larger than its bytes.
    client.getContentDecoderFactories().clear();
  }

  /** Holds it for one request; false if it is being closed: then there is another. */
  boolean enter() {
    return holders.register() >= 0;
  }

  void leave() {
    holders.arriveAndDeregister();
  }

  /** It is no longer configured. */
  void retire() {
    holders.arriveAndDeregister();
  }

  private void stop() {
    // The last one to leave may be a call whose time is over.
    boolean interrupted = Thread.interrupted();
    try {
      client.stop();
    } catch (Exception broken) {
      log.warn("client not stopped: provider={}", provider.name(), broken);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Takes a place among those that the provider is asked at once; false if there is none. */
  boolean takePlace() {
    return places.tryAcquire();
  }

  void givePlace() {
    places.release();
  }

  /**
   * @param path below {@code /v1}
   * @param timeMax within which the answer must be there whole
   */
  Exchange post(String path, byte[] json, Duration timeMax) {
    return Exchange.send(
        request("POST", path, timeMax).body(new BytesRequestContent("application/json", json)));
  }

  Exchange get(String path, Duration timeMax) {
    return Exchange.send(request("GET", path, timeMax));
  }

  private Request request(String method, String path, Duration timeMax) {
    return client
        .newRequest(provider.url() + path)
        .method(method)
        .idleTimeout(provider.silenceMax().toMillis(), TimeUnit.MILLISECONDS)
        .timeout(Math.max(1, timeMax.toMillis()), TimeUnit.MILLISECONDS)
        .headers(
            fields -> {
              fields.put("accept-encoding", "identity");
              if (provider.key() != null) {
                fields.put("authorization", "Bearer " + provider.key());
              }
            });
  }
}
