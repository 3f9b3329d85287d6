package org.aionos.gateway;

import static java.util.Objects.requireNonNull;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.task.AgentDoors;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.ManagedSelector;
import org.eclipse.jetty.io.SelectorManager;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.server.AbstractConnector;
import org.eclipse.jetty.server.ConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * All doors of agents, as one more connector of the server: a door is one more socket that its one
 * selector listens on, and so costs no thread. A connection knows the door that it came through by
 * its endpoint, whatever is said over it.
 */
final class DoorConnector extends AbstractConnector implements AgentDoors {

  /** {@code sun_path} of Linux, without its end. */
  private static final int PATH_BYTES_MAX = 107;

  /**
   * Twice those that the relay of an agent has open at once: a closed one is seen a moment later.
   */
  static final int CONNECTIONS_PER_DOOR_MAX = 128;

  private final Duration drainMax;
  private final int bodiesBytesMax;
  private final SelectorManager selectors;
  private final Map<Path, AgentDoor> doors = new ConcurrentHashMap<>();

  /**
   * @param drainMax that requests inside of a door get when it is closed
   * @param bodiesBytesMax of all bodies that are on their way through one door
   */
  DoorConnector(
      Server server, Duration drainMax, int bodiesBytesMax, ConnectionFactory... factories) {
    super(server, null, null, null, 0, factories);
    this.drainMax = drainMax;
    this.bodiesBytesMax = bodiesBytesMax;
    this.selectors = new DoorSelectors(getScheduler());
    installBean(selectors);
  }

  @Override
  public Door open(AgentId agent, String task, Path folder) {
    Path path = folder.toAbsolutePath().resolve(SOCKET);
    try {
      int length = path.toString().getBytes(StandardCharsets.UTF_8).length;
      if (length > PATH_BYTES_MAX) {
        throw new IOException(
            "the path of a socket has at most "
                + PATH_BYTES_MAX
                + " bytes, and this one has "
                + length
                + ": "
                + path);
      }
      if (!isRunning() || isShutdown()) {
        throw new IOException("the gateway is stopping");
      }
      AgentDoor door = new AgentDoor(Caller.agentTask(agent, task), path);
      if (doors.putIfAbsent(path, door) != null) {
        throw new IOException("there is a door already at " + path);
      }
      try {
        door.listen();
      } catch (IOException | RuntimeException failed) {
        doors.remove(path, door);
        throw failed;
      }
      return door;
    } catch (IOException unopened) {
      throw new UncheckedIOException(unopened);
    }
  }

  /** The door that a request came through; null if it came by the port. */
  static @Nullable AgentDoor doorOf(Request request) {
    return request.getConnectionMetaData().getConnection().getEndPoint() instanceof DoorEndPoint end
        ? end.door
        : null;
  }

  /** Takes all sockets away; requests inside go on. */
  void shut() {
    doors.values().forEach(AgentDoor::shut);
  }

  int count() {
    return doors.size();
  }

  // --- one more connector ---------------------------------------------------------------------

  @Override
  public Object getTransport() {
    return selectors;
  }

  @Override
  protected void accept(int acceptor) {
    throw new IllegalStateException("the selector accepts");
  }

  private final class DoorSelectors extends SelectorManager {

    DoorSelectors(Scheduler scheduler) {
      super(DoorConnector.this.getExecutor(), scheduler, 1);
    }

    @Override
    protected void accepted(SelectableChannel channel) throws IOException {
      SocketChannel socket = (SocketChannel) channel;
      AgentDoor door = doorAt(socket.getLocalAddress());
      if (door == null || !door.admits(socket)) {
        socket.close();
        return;
      }
      socket.configureBlocking(false);
      accept(socket, door);
    }

    private @Nullable AgentDoor doorAt(@Nullable SocketAddress address) {
      return address instanceof UnixDomainSocketAddress at ? doors.get(at.getPath()) : null;
    }

    @Override
    protected EndPoint newEndPoint(
        SelectableChannel channel, ManagedSelector selector, SelectionKey key) {
      AgentDoor door = (AgentDoor) requireNonNull(key.attachment(), "came through no door");
      DoorEndPoint end =
          new DoorEndPoint((SocketChannel) channel, selector, key, getScheduler(), door);
      end.setIdleTimeout(DoorConnector.this.getIdleTimeout());
      return end;
    }

    @Override
    public Connection newConnection(
        SelectableChannel channel, EndPoint end, @Nullable Object attachment) {
      return getDefaultConnectionFactory().newConnection(DoorConnector.this, end);
    }

    @Override
    protected void onAcceptFailed(
        SelectableChannel channel, Throwable failure, @Nullable Object attachment) {
      if (attachment instanceof AgentDoor door) {
        door.connections.remove(channel);
      }
      super.onAcceptFailed(channel, failure, attachment);
    }

    @Override
    protected void endPointOpened(EndPoint end) {
      super.endPointOpened(end);
      onEndPointOpened(end);
      if (((DoorEndPoint) end).door.isShut()) {
        end.close();
      }
    }

    @Override
    protected void endPointClosed(EndPoint end) {
      DoorEndPoint through = (DoorEndPoint) end;
      through.door.connections.remove(through.getChannel());
      onEndPointClosed(end);
      super.endPointClosed(end);
    }
  }

  private static final class DoorEndPoint extends SocketChannelEndPoint {

    private final AgentDoor door;

    DoorEndPoint(
        SocketChannel channel,
        ManagedSelector selector,
        SelectionKey key,
        Scheduler scheduler,
        AgentDoor door) {
      super(channel, selector, key, scheduler);
      this.door = door;
    }
  }

  /** A door, and how many are inside. */
  final class AgentDoor implements Door {

    private final Caller caller;
    private final Path path;
    private final Semaphore bodyRoom = new Semaphore(bodiesBytesMax);
    private final Set<SelectableChannel> connections = ConcurrentHashMap.newKeySet();

    /** Guarded by this, as is what follows. */
    private @Nullable ServerSocketChannel channel;

    private @Nullable Closeable listening;

    private boolean shut;
    private int inside;

    AgentDoor(Caller caller, Path path) {
      this.caller = caller;
      this.path = path;
    }

    /** Who comes through it. */
    Caller caller() {
      return caller;
    }

    /** Bytes that unfinished bodies may still take: what one agent holds, no other misses. */
    Semaphore bodyRoom() {
      return bodyRoom;
    }

    private synchronized void listen() throws IOException {
      // A kernel that was killed leaves its sockets behind.
      Files.deleteIfExists(path);
      ServerSocketChannel opened = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        opened.bind(UnixDomainSocketAddress.of(path), CONNECTIONS_PER_DOOR_MAX);
        // The agent runs as another user. Who else may connect is for the folder to say.
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw-rw-"));
        opened.configureBlocking(false);
        listening = selectors.acceptor(opened);
        channel = opened;
      } catch (IOException | RuntimeException failed) {
        opened.close();
        throw failed;
      }
    }

    /** Called by the one selector alone. */
    private boolean admits(SocketChannel socket) {
      return connections.size() < CONNECTIONS_PER_DOOR_MAX && connections.add(socket);
    }

    private synchronized boolean isShut() {
      return shut;
    }

    /** A request comes in; false if the door is closed. Each that came in leaves. */
    synchronized boolean enter() {
      if (shut) {
        return false;
      }
      inside++;
      return true;
    }

    synchronized void leave() {
      inside--;
      notifyAll();
    }

    private void shut() {
      synchronized (this) {
        if (shut) {
          return;
        }
        shut = true;
        // Its end turns away who waits to be let in. It comes once the selector has let go of the
        // socket, for which it is woken.
        close(channel);
        close(listening);
      }
      try {
        // First of all: at the same path the next gateway may open its own.
        Files.deleteIfExists(path);
      } catch (IOException stays) {
        LOG.warn("the socket of an agent stays: path={}", path, stays);
      }
      doors.remove(path, this);
    }

    private static void close(@Nullable Closeable socket) {
      if (socket != null) {
        try {
          socket.close();
        } catch (IOException closedAllTheSame) {
          LOG.debug("a socket was not closed cleanly", closedAllTheSame);
        }
      }
    }

    @Override
    public void close() {
      shut();
      awaitEmpty();
      for (EndPoint end : getConnectedEndPoints()) {
        if (end instanceof DoorEndPoint through && through.door == this) {
          end.close();
        }
      }
    }

    /** An interrupt ends the wait, and is kept. */
    private synchronized void awaitEmpty() {
      long end = System.nanoTime() + drainMax.toNanos();
      try {
        for (long left = drainMax.toNanos(); inside > 0 && left > 0; ) {
          wait(left / 1_000_000 + 1);
          left = end - System.nanoTime();
        }
      } catch (InterruptedException now) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
