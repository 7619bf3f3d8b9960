import RingSystem

/// Where a job's ranks find each other.
public enum StoreLocation: Sendable, Hashable, CustomStringConvertible {
    /// Rank 0 serves a store over TCP at this host, as all ranks reach it, and port.
    case tcp(host: String, port: UInt16)
    /// A directory that all hosts share.
    case file(directory: String)

    /// Reads `tcp://HOST:PORT` (an IPv6 address in brackets) or `file:///DIRECTORY`; nil for anything else.
    public init?(_ text: String) {
        if text.hasPrefix("file:///") {
            self = .file(directory: String(text.dropFirst("file://".count)))
        } else if text.hasPrefix("tcp://") {
            let place = text.dropFirst("tcp://".count)
            guard let colon = place.lastIndex(of: ":"),
                let port = UInt16(place[place.index(after: colon)...]),
                port > 0
            else { return nil }
            var host = place[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") {
                host = host.dropFirst().dropLast()
            } else if host.contains(":") {
                return nil
            }
            guard !host.isEmpty, !host.contains("/") else { return nil }
            self = .tcp(host: String(host), port: port)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port): "tcp://" + SocketAddress.text(host: host, port: port)
        case .file(let directory): "file://" + directory
        }
    }

    /// Where the variables say that the store is: `RING_STORE`, or `MASTER_ADDR` and `MASTER_PORT`, or what
    /// the launcher's own variables and a single host allow to conclude.
    static func find(_ variables: EnvironmentVariables, for world: LauncherVariables) throws -> StoreLocation?
    {
        if let text = try variables.text("RING_STORE") {
            guard let location = StoreLocation(text) else {
                throw variables.error(
                    "RING_STORE is \"\(oneLine(text))\"; it must be tcp://HOST:PORT or file:///DIRECTORY")
            }
            return location
        }
        let given = try variables.port("MASTER_PORT") ?? world.defaultPort
        let (port, overflow) = given.addingReportingOverflow(world.portOffset)
        guard !overflow else {
            throw variables.error(
                "MASTER_PORT is \(given), which torchrun occupies, and there is no port above it; set "
                    + "RING_STORE"
            )
        }
        if let address = try variables.text("MASTER_ADDR") { return .tcp(host: address, port: port) }
        if world.isOneHost { return .tcp(host: "127.0.0.1", port: port) }
        if let address = world.masterAddress { return .tcp(host: address, port: port) }
        if world.worldSize.value == 1 { return nil }
        throw variables.error(
            "MASTER_ADDR is not set, and \(world.launcher)'s variables do not tell the host of rank 0; set "
                + "MASTER_ADDR to it on all ranks (127.0.0.1 if they share one host)")
    }
}
