package import RingCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension SocketAddress {
    /// Why a name has no address, in the resolver's words.
    package struct ResolutionFailure: Error, CustomStringConvertible {
        /// The words, in lower case as they stand within our sentences.
        package var reason: String

        package var description: String { reason }
    }

    /// The addresses of a host by name or number, in the system's order of preference, by the deadline.
    ///
    /// A look-up cannot be stopped, so a name (numbers need no waiting) is looked up on a thread of its own, which
    /// is left to end by itself when the deadline passes first.
    package static func resolve(host: String, port: UInt16, by deadline: Deadline) throws -> [SocketAddress] {
        if let address = SocketAddress(numericHost: host, port: port) { return [address] }
        let outcome = Monitor<Result<[SocketAddress], ResolutionFailure>?>(nil)
        _ = try SystemThread(name: "ring-resolve") {
            let result = Result { () throws(ResolutionFailure) in try resolve(host: host, port: port) }
            outcome.withLock(notifying: true) { $0 = result }
        }
        guard let result = outcome.wait(until: deadline, for: { $0 }) else {
            throw ResolutionFailure(reason: "no name server answered")
        }
        return try result.get()
    }

    /// The addresses of a host by name or number, in the system's order of preference.
    ///
    /// Blocks while the name is looked up. Throws what the resolver said.
    package static func resolve(host: String, port: UInt16) throws(ResolutionFailure) -> [SocketAddress] {
        try lookUp(host, port: port, flags: 0)
    }

    /// The address that this text is in numbers, with `%` and an interface if need be; nil if it is none.
    package init?(numericHost host: String, port: UInt16) {
        guard let address = try? Self.lookUp(host, port: port, flags: AI_NUMERICHOST).first else {
            return nil
        }
        self = address
    }

    private static func lookUp(
        _ host: String, port: UInt16, flags: Int32
    ) throws(ResolutionFailure) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        guard status == 0 else {
            let reason =
                status == EAI_SYSTEM
                ? SystemError("getaddrinfo").reason : withinSentence(String(cString: gai_strerror(status)))
            throw ResolutionFailure(reason: reason)
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr, let parsed = SocketAddress(UnsafeRawPointer(address)) {
                addresses.append(parsed.withPort(port))
            }
            next = entry.pointee.ai_next
        }
        guard !addresses.isEmpty else { throw ResolutionFailure(reason: "it has no IP address") }
        return addresses
    }
}
