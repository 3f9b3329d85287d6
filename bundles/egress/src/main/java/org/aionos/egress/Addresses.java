package org.aionos.egress;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.Arrays;

/** Which addresses are of the public network. Sources: the IANA special-purpose registries. */
final class Addresses {

  private Addresses() {}

  /** Whether an address is none of this host, of a private network, or of a special purpose. */
  static boolean isPublic(InetAddress address) {
    InetAddress inner = unwrapped(address);
    if (inner.isAnyLocalAddress()
        || inner.isLoopbackAddress()
        || inner.isLinkLocalAddress()
        || inner.isSiteLocalAddress()
        || inner.isMulticastAddress()
        || isOurs(inner)) {
      return false;
    }
    byte[] bytes = inner.getAddress();
    return inner instanceof Inet4Address ? isPublic4(bytes) : isPublic6(bytes);
  }

  private static boolean isPublic4(byte[] a) {
    int first = a[0] & 0xff;
    int second = a[1] & 0xff;
    int third = a[2] & 0xff;
    return !(first == 0 // this network
        || first == 10
        || first == 127
        || (first == 100 && second >= 64 && second < 128) // carrier-grade NAT
        || (first == 169 && second == 254) // link local, cloud metadata
        || (first == 172 && second >= 16 && second < 32)
        || (first == 192 && second == 168)
        || (first == 192 && second == 0 && (third == 0 || third == 2)) // protocols, documentation
        || (first == 192 && second == 88 && third == 99) // 6to4 relays
        || (first == 198 && (second == 18 || second == 19)) // benchmarks
        || (first == 198 && second == 51 && third == 100)
        || (first == 203 && second == 0 && third == 113)
        || first >= 224); // multicast, reserved, broadcast
  }

  private static boolean isPublic6(byte[] a) {
    // Only 2000::/3 is given out for the public network; of it some parts are not.
    boolean documentation = startsWith(a, 0x20, 0x01, 0x0d, 0xb8) || startsWith(a, 0x3f, 0xff);
    boolean protocols = startsWith(a, 0x20, 0x01) && (a[2] & 0xfe) == 0; // 2001::/23, Teredo too
    return (a[0] & 0xe0) == 0x20 && !documentation && !protocols;
  }

  /** The IPv4 address that an IPv6 one stands for: mapped, compatible, NAT64, 6to4. */
  private static InetAddress unwrapped(InetAddress address) {
    if (!(address instanceof Inet6Address)) {
      return address;
    }
    byte[] a = address.getAddress();
    boolean zeros = true;
    for (int i = 0; i < 10; i++) {
      zeros &= a[i] == 0;
    }
    boolean mapped = zeros && (a[10] & 0xff) == 0xff && (a[11] & 0xff) == 0xff;
    boolean compatible = zeros && a[10] == 0 && a[11] == 0 && !address.isLoopbackAddress();
    if (mapped || compatible || startsWith(a, 0x00, 0x64, 0xff, 0x9b)) {
      return ipv4(a, 12);
    }
    return startsWith(a, 0x20, 0x02) ? ipv4(a, 2) : address;
  }

  private static InetAddress ipv4(byte[] a, int at) {
    try {
      return InetAddress.getByAddress(Arrays.copyOfRange(a, at, at + 4));
    } catch (UnknownHostException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static boolean startsWith(byte[] a, int... prefix) {
    for (int i = 0; i < prefix.length; i++) {
      if ((a[i] & 0xff) != prefix[i]) {
        return false;
      }
    }
    return true;
  }

  private static boolean isOurs(InetAddress address) {
    try {
      return NetworkInterface.getByInetAddress(address) != null;
    } catch (SocketException unknown) {
      return true;
    }
  }
}
