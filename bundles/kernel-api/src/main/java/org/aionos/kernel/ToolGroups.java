package org.aionos.kernel;

import java.nio.file.Path;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** The processes of tools, as Linux groups them; for those who watch from outside. */
@ProviderType
public interface ToolGroups {

  /** The groups that there are right now. Empty where the host has no hierarchy of version 2. */
  List<Group> groups();

  /**
   * @param tool its name, without a version
   * @param folder of its cgroup in the hierarchy of version 2; a folder is used once
   */
  record Group(String tool, Path folder) {}
}
