package org.aionos.backend.minio;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.aionos.kernel.memory.StoreDriver;

/** A server that speaks S3, for tests; a process of its own. */
public interface S3Server extends AutoCloseable {

  String USER = "minioadmin";
  String SECRET = "minioadmin-secret";

  int port();

  /** As if its machine had lost power. */
  void kill();

  /** On the port that it had. */
  void restart() throws IOException;

  @Override
  void close();

  default StoreDriver.Opening opening(String bucket, Path folder, Duration timeoutMax) {
    return opening(port(), bucket, folder, timeoutMax);
  }

  /**
   * @param port of the server, or of what stands before it
   */
  static StoreDriver.Opening opening(int port, String bucket, Path folder, Duration timeoutMax) {
    return new StoreDriver.Opening(
        "episodic", "http://127.0.0.1:" + port, bucket, USER, SECRET, null, timeoutMax, folder);
  }
}
