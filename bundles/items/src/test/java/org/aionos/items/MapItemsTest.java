package org.aionos.items;

import org.aionos.kernel.memory.ItemStore;

final class MapItemsTest extends ItemStoreContract {

  private final ItemStore store = new MapItems();

  @Override
  protected ItemStore open() {
    return store;
  }
}
