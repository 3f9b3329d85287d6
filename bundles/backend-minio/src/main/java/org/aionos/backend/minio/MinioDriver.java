package org.aionos.backend.minio;

import java.time.Duration;
import org.aionos.kernel.memory.ObjectDriver;
import org.aionos.kernel.memory.ObjectStore;
import org.aionos.kernel.memory.StoreDriver;
import org.osgi.service.component.annotations.Component;

/** Opens buckets of a server that speaks S3. */
@Component(service = ObjectDriver.class, property = StoreDriver.DRIVER + "=minio")
public final class MinioDriver implements ObjectDriver {

  @Override
  public ObjectStore open(StoreDriver.Opening opening, Duration expireAfter) {
    return new MinioObjects(S3Client.open(opening), opening.name(), expireAfter);
  }
}
