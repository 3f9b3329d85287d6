package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import jdk.net.ExtendedSocketOptions;
import org.aionos.kernel.task.AgentDoors;

/** A kernel that greets whoever connects with its name, then says back what it hears. */
final class KernelSocket implements AutoCloseable {

  private final Path path;
  private final ServerSocketChannel server;
  private final ExecutorService threads = Executors.newCachedThreadPool(Daemons.named("kernel"));

  /** The users of the host that connected. */
  final List<String> users = new CopyOnWriteArrayList<>();

  KernelSocket(Path folder, String name) {
    try {
      path = folder.resolve(AgentDoors.SOCKET);
      server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server.bind(UnixDomainSocketAddress.of(path), 128);
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw-rw-"));
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
    threads.execute(() -> accept(name));
  }

  private void accept(String name) {
    while (true) {
      try {
        SocketChannel client = server.accept();
        users.add(client.getOption(ExtendedSocketOptions.SO_PEERCRED).user().getName());
        threads.execute(() -> serve(client, name));
      } catch (IOException | RejectedExecutionException closed) {
        return;
      }
    }
  }

  private static void serve(SocketChannel client, String name) {
    try (client) {
      OutputStream out = Channels.newOutputStream(client);
      InputStream in = Channels.newInputStream(client);
      out.write((name + "\n").getBytes(UTF_8));
      in.transferTo(out);
    } catch (IOException gone) {
      // The agent's business.
      return;
    }
  }

  @Override
  public void close() {
    try {
      server.close();
      Files.deleteIfExists(path);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
    threads.shutdownNow();
  }
}
