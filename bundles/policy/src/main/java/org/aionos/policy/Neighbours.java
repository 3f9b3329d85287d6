package org.aionos.policy;

import org.aionos.kernel.JournalReader;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.ToolCatalog;
import org.jspecify.annotations.Nullable;

/** Who a dry run asks; null while one is away. */
interface Neighbours {

  @Nullable JournalReader journal();

  @Nullable ProcessTable processes();

  @Nullable ToolCatalog tools();
}
