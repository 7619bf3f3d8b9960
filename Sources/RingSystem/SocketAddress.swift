#if canImport(Glibc)
    package import Glibc
#elseif canImport(Musl)
    package import Musl
#endif

/// The address of a TCP end: IPv4 or IPv6, and a port.
package struct SocketAddress: Hashable, Sendable {
    /// 4 or 16 bytes, in network order.
    package var host: [UInt8]
    /// The port, 0 for "any".
    package var port: UInt16
    /// The interface that a link-local IPv6 address is on, else 0.
    package var scope: UInt32

    /// The address with these parts. `host` has 4 or 16 bytes.
    package init(host: [UInt8], port: UInt16, scope: UInt32 = 0) {
        precondition(host.count == 4 || host.count == 16, "an address of \(host.count) bytes")
        self.host = host
        self.port = port
        self.scope = scope
    }

    /// Whether it is an IPv6 address.
    package var isIPv6: Bool { host.count == 16 }

    /// The address family as the system numbers it.
    package var family: Int32 { isIPv6 ? AF_INET6 : AF_INET }

    /// Every address of this host: IPv6, which takes IPv4 connections too, or IPv4 alone.
    package static func wildcard(family: Int32, port: UInt16) -> SocketAddress {
        SocketAddress(host: [UInt8](repeating: 0, count: family == AF_INET6 ? 16 : 4), port: port)
    }

    /// The address by which a host's processes reach each other.
    package static func loopback(family: Int32 = AF_INET, port: UInt16) -> SocketAddress {
        let host: [UInt8] = family == AF_INET6 ? [UInt8](repeating: 0, count: 15) + [1] : [127, 0, 0, 1]
        return SocketAddress(host: host, port: port)
    }

    /// Whether it stands for all addresses of a host.
    package var isWildcard: Bool { host.allSatisfy { $0 == 0 } }

    /// The address with another port.
    package func withPort(_ port: UInt16) -> SocketAddress {
        SocketAddress(host: host, port: port, scope: scope)
    }
}

extension SocketAddress: CustomStringConvertible {
    /// The host in numbers, without the port.
    package var hostText: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = host.withUnsafeBytes { inet_ntop(family, $0.baseAddress!, &text, socklen_t(text.count)) }
        return String(buffer: text)
    }

    /// The host in numbers as this host can connect to it: with `%` and the interface's number if it has a scope.
    package var scopedHostText: String { scope == 0 ? hostText : "\(hostText)%\(scope)" }

    package var description: String { Self.text(host: hostText, port: port) }

    /// Host and port as people write them, an IPv6 address in brackets.
    package static func text(host: String, port: UInt16) -> String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension SocketAddress {
    /// Runs `body` with the address as system calls take it.
    package func withSystemAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result)
        rethrows
        -> Result
    {
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_scope_id = scope
            withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: host) }
            return try withUnsafePointer(to: &address) {
                try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    try body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: host) }
        return try withUnsafePointer(to: &address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// The address that a system call filled in, or nil if it is of another family.
    package init?(_ storage: UnsafeRawPointer) {
        switch Int32(storage.load(as: sockaddr.self).sa_family) {
        case AF_INET:
            let address = storage.load(as: sockaddr_in.self)
            self.init(
                host: withUnsafeBytes(of: address.sin_addr) { Array($0) },
                port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            let address = storage.load(as: sockaddr_in6.self)
            self.init(
                host: withUnsafeBytes(of: address.sin6_addr) { Array($0) },
                port: UInt16(bigEndian: address.sin6_port), scope: address.sin6_scope_id)
        default: return nil
        }
    }
}
