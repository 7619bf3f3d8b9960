#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// An IPv4 or IPv6 address with its port.
struct SocketAddress: Sendable, CustomStringConvertible {
    private var storage: sockaddr_storage
    private var length: socklen_t

    /// Copies an address that the system handed out.
    init(copying address: UnsafePointer<sockaddr>, length: socklen_t) {
        storage = sockaddr_storage()
        self.length = min(length, socklen_t(MemoryLayout<sockaddr_storage>.size))
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(self.length)))
        }
    }

    /// The address that a system call writes.
    init(
        filledBy call: String,
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try withUnsafeMutableBytes(of: &storage) { bytes in
            _ = try SystemCall.checked(call) {
                body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
            }
        }
        self.storage = storage
        self.length = length
    }

    /// Every address of this host: IPv6, which takes IPv4 connections too, or IPv4 alone.
    static func wildcard(family: Int32, port: UInt16) -> SocketAddress {
        if family == AF_INET6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            return SocketAddress(copyingValue: &address)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        return SocketAddress(copyingValue: &address)
    }

    private init<Address>(copyingValue address: inout Address) {
        self = withUnsafeBytes(of: &address) {
            SocketAddress(
                copying: $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                length: socklen_t($0.count))
        }
    }

    var family: Int32 { Int32(storage.ss_family) }

    var port: UInt16 {
        // The port is the second 16-bit field of both families.
        withUnsafeBytes(of: storage) {
            UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
    }

    /// Whether it stands for all addresses of a host.
    var isWildcard: Bool {
        let host = hostText
        return host == "::" || host == "0.0.0.0"
    }

    /// The host's address in numbers.
    var hostText: String {
        withPointer { pointer, length in
            var text = [CChar](repeating: 0, count: 128)
            let status = getnameinfo(pointer, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            guard status == 0 else { return "?" }
            return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    var description: String { hostAndPort(hostText, port) }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result) rethrows -> Result
    {
        try withUnsafeBytes(of: storage) {
            try body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), length)
        }
    }
}

extension SocketAddress: Equatable {
    static func == (left: SocketAddress, right: SocketAddress) -> Bool {
        left.family == right.family && left.port == right.port && left.hostText == right.hostText
    }
}

/// Host and port as people write them, an IPv6 address in brackets.
func hostAndPort(_ host: String, _ port: UInt16) -> String {
    host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
}
