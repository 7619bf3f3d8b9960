import RingCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A host name that could not be turned into an address.
struct ResolutionError: Error, CustomStringConvertible {
    var description: String
}

/// Turns host names into addresses, within a deadline.
enum Resolver {
    /// The addresses of `host`, in the system's order of preference.
    ///
    /// `getaddrinfo` cannot be stopped, so a name (numbers need no waiting) is looked up on a thread of its
    /// own, which is left to end by itself when the deadline passes first.
    static func addresses(of host: String, port: UInt16, by deadline: Deadline) throws -> [SocketAddress] {
        if let numeric = try? lookUp(host, port: port, flags: AI_NUMERICHOST) { return numeric }
        let outcome = Monitor<Result<[SocketAddress], ResolutionError>?>(nil)
        try ServiceThread.startDetached {
            let result = Result { () throws(ResolutionError) in try lookUp(host, port: port, flags: 0) }
            outcome.update { $0 = result }
        }
        guard let result = outcome.wait(until: deadline, for: { $0 }) else {
            throw ResolutionError(description: "no name server answered")
        }
        return try result.get()
    }

    /// The address that this text is in numbers, if it is one.
    static func numericAddress(_ host: String, port: UInt16) -> SocketAddress? {
        (try? lookUp(host, port: port, flags: AI_NUMERICHOST))?.first
    }

    private static func lookUp(
        _ host: String, port: UInt16, flags: Int32
    ) throws(ResolutionError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            let reason =
                status == EAI_SYSTEM
                ? SystemError("getaddrinfo").reason : String(cString: gai_strerror(status))
            throw ResolutionError(description: reason.prefix(1).lowercased() + reason.dropFirst())
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var entry = list
        while let current = entry {
            if let address = current.pointee.ai_addr {
                addresses.append(SocketAddress(copying: address, length: current.pointee.ai_addrlen))
            }
            entry = current.pointee.ai_next
        }
        return addresses
    }
}
