package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.channel.ChannelSubsystem;
import org.apache.sshd.client.channel.ClientChannelEvent;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.SshException;

/** A session over SSH, of the operator or of the admin. */
final class Ssh implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** After which a channel that is open still is one that is served. */
  private static final Duration SERVED = Duration.ofSeconds(10);

  private final SshClient client = SshClient.setUpDefaultClient();
  private final ClientSession session;

  /**
   * @throws IOException if the password is wrong
   */
  Ssh(RunningKernel kernel, String user, String password) throws IOException {
    client.setServerKeyVerifier(AcceptAllServerKeyVerifier.INSTANCE);
    client.start();
    try {
      session = client.connect(user, "127.0.0.1", kernel.sshPort()).verify(PATIENCE).getSession();
      session.addPasswordIdentity(password);
      session.auth().verify(PATIENCE);
    } catch (IOException refused) {
      client.stop();
      throw refused;
    }
  }

  static String passwordOf(RunningKernel kernel, String user) {
    return new String(RunningKernel.readBytes(kernel.data().resolve("etc/users.properties")), UTF_8)
        .lines()
        .filter(line -> line.startsWith(user + " "))
        .findFirst()
        .orElseThrow()
        .split("[=,]")[1]
        .strip();
  }

  /** One command of the operator. */
  static String run(RunningKernel kernel, String command) throws IOException {
    return run(kernel, "operator", command);
  }

  /** One command of the admin. */
  static String admin(RunningKernel kernel, String command) throws IOException {
    return run(kernel, "admin", command);
  }

  /** In a session of its own: the server closes a session after its command. */
  private static String run(RunningKernel kernel, String user, String command) throws IOException {
    try (Ssh session = new Ssh(kernel, user, passwordOf(kernel, user))) {
      return session.run(command);
    }
  }

  private String run(String command) throws IOException {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    try (ChannelExec channel = session.createExecChannel(command)) {
      channel.setOut(output);
      channel.setErr(output);
      channel.open().verify(PATIENCE);
      if (channel
          .waitFor(EnumSet.of(ClientChannelEvent.CLOSED), PATIENCE)
          .contains(ClientChannelEvent.TIMEOUT)) {
        throw new AssertionError("not within " + PATIENCE + ": " + command + "\n" + output);
      }
    }
    return output.toString(UTF_8).replaceAll("\u001b\\[[0-9;]*m", "");
  }

  /** Whether the server serves it; one that does not closes the channel. */
  boolean opensSubsystem(String name) throws IOException {
    try (ChannelSubsystem channel = session.createSubsystemChannel(name)) {
      channel.open().verify(PATIENCE);
      return !channel
          .waitFor(EnumSet.of(ClientChannelEvent.CLOSED), SERVED)
          .contains(ClientChannelEvent.CLOSED);
    } catch (SshException refused) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    session.close();
    client.stop();
  }
}
