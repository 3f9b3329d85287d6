package org.aionos.backend.redis;

import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/** Makes this kernel a node of a cluster where {@code REDIS_URL} names the server of one. */
@Component(service = ClusterSwitch.class, immediate = true)
public final class ClusterSwitch {

  @Activate
  public ClusterSwitch(ComponentContext context) {
    if (!RedisCluster.opening(System.getenv()).url().isEmpty()) {
      context.enableComponent(RedisCluster.NAME);
    }
  }
}
