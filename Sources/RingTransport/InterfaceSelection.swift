package import RingCore
package import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Which of this host's addresses the transport listens on.
package enum InterfaceSelection {
    /// The addresses (port 0) that names, CIDRs or addresses ask for, each once, in their order; if none does, the one
    /// that leads to `routeHint`.
    package static func addresses(
        matching names: [String], routeHint: SocketAddress?, rank: Rank
    ) throws -> [SocketAddress] {
        let interfaces: [NetworkInterface]
        do {
            interfaces = try NetworkInterface.all()
        } catch {
            throw CollectiveError(
                .system, "rank \(rank): cannot list the network interfaces", peer: rank, cause: error)
        }
        if names.isEmpty { return [automatic(among: interfaces, routeHint: routeHint)] }
        return try names.reduce(into: []) { addresses, text in
            let address = try address(matching: text, among: interfaces, rank: rank)
            if !addresses.contains(address) { addresses.append(address) }
        }
    }

    /// The address that a name, CIDR or address stands for; IPv4 before IPv6, link-local last.
    package static func address(
        matching text: String, among interfaces: [NetworkInterface], rank: Rank
    ) throws -> SocketAddress {
        let range = AddressRange(text)
        let literal = AddressRange.bytes(ofNumeric: text)
        let candidates = interfaces.filter {
            range?.contains($0.address) ?? literal.map { [host = $0.address.host] in $0 == host }
                ?? ($0.name == text)
        }
        if let best = candidates.min(by: { preference($0.address) < preference($1.address) }) {
            return best.address
        }
        // Loopback answers to its whole network, of which the system lists one address.
        if let literal, literal.count == 4, literal[0] == 127, interfaces.contains(where: \.isLoopback) {
            return SocketAddress(host: literal, port: 0)
        }
        let known = interfaces.map { "\($0.name) (\($0.address.hostText))" }.joined(separator: ", ")
        throw CollectiveError(
            .invalidConfiguration,
            "rank \(rank): no network interface that is up matches '\(text)'; this host has \(known)",
            peer: rank)
    }

    /// The address that the system would use on the way to `routeHint`; without one, the first that is not
    /// loopback, else loopback.
    private static func automatic(among interfaces: [NetworkInterface], routeHint: SocketAddress?)
        -> SocketAddress
    {
        if let routeHint, let source = sourceAddress(towards: routeHint) { return source }
        let outside = interfaces.filter { !$0.isLoopback }
        return (outside.isEmpty ? interfaces : outside)
            .min { preference($0.address) < preference($1.address) }?.address
            ?? SocketAddress(host: [127, 0, 0, 1], port: 0)
    }

    /// The address that the system would use on the way to `target`: asks the routing table, by connecting a datagram
    /// socket; nothing is sent.
    package static func sourceAddress(towards target: SocketAddress) -> SocketAddress? {
        let descriptor = socket(target.family, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let owner = FileDescriptor(owning: descriptor)
        let port = target.port == 0 ? 9 : target.port
        guard target.withPort(port).withSystemAddress({ connect(owner.number, $0, $1) }) == 0 else {
            return nil
        }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(owner.number, $0, &length) }
        }
        guard status == 0 else { return nil }
        return withUnsafeBytes(of: &storage) { SocketAddress($0.baseAddress!) }?.withPort(0)
    }

    /// IPv4 before IPv6, link-local last.
    package static func preference(_ address: SocketAddress) -> Int {
        if !address.isIPv6 { return 0 }
        return address.host[0] == 0xFE && address.host[1] & 0xC0 == 0x80 ? 2 : 1
    }
}
