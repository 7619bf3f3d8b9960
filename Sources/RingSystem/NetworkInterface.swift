#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A network interface of this host with one of its addresses.
package struct NetworkInterface: Hashable, Sendable {
    /// Its name: `eth0`.
    package var name: String
    /// One of its addresses; the port is 0.
    package var address: SocketAddress
    /// Whether it is the loopback interface.
    package var isLoopback: Bool

    /// An interface with one of its addresses.
    package init(name: String, address: SocketAddress, isLoopback: Bool) {
        self.name = name
        self.address = address
        self.isLoopback = isLoopback
    }

    /// All interfaces that are up, once for each IP address.
    package static func all() throws(SystemError) -> [NetworkInterface] {
        var list: UnsafeMutablePointer<ifaddrs>?
        try SystemCall.check("getifaddrs") { getifaddrs(&list) }
        defer { freeifaddrs(list) }
        var interfaces: [NetworkInterface] = []
        var next = list
        while let entry = next {
            let flags = entry.pointee.ifa_flags
            if flags & UInt32(IFF_UP) != 0, let raw = entry.pointee.ifa_addr,
                let address = SocketAddress(UnsafeRawPointer(raw))
            {
                interfaces.append(
                    NetworkInterface(
                        name: String(cString: entry.pointee.ifa_name), address: address,
                        isLoopback: flags & UInt32(IFF_LOOPBACK) != 0))
            }
            next = entry.pointee.ifa_next
        }
        return interfaces
    }
}

/// A range of addresses: `10.0.0.0/8`, `fd00::/64`.
package struct AddressRange: Hashable, Sendable {
    /// The network's address, 4 or 16 bytes.
    package var network: [UInt8]
    /// How many leading bits count.
    package var prefixLength: Int

    /// Reads the usual notation; nil if `text` is not that.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
            let length = Int(parts[1]),
            let host = Self.bytes(ofNumeric: String(parts[0])),
            (0...(host.count * 8)).contains(length)
        else { return nil }
        network = host
        prefixLength = length
    }

    /// Whether the address lies in the range.
    package func contains(_ address: SocketAddress) -> Bool {
        guard address.host.count == network.count else { return false }
        return (0..<prefixLength).allSatisfy { bit in
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            return address.host[bit / 8] & mask == network[bit / 8] & mask
        }
    }

    /// The bytes of a numeric IPv4 or IPv6 address.
    package static func bytes(ofNumeric text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes[..<4]) }
        if inet_pton(AF_INET6, text, &bytes) == 1 { return bytes }
        return nil
    }
}
