import Logging
import RingCore
import RingSystem
import RingTransport

@testable import RingTransportTCP

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// TCP transports in one process, on loopback.
enum TCPRanks {
    static let loopback = options("127.0.0.1")

    static func options(_ interfaces: String..., change: (inout TCPOptions) -> Void = { _ in }) -> TCPOptions
    {
        var options = TCPOptions()
        options.interfaces = interfaces
        change(&options)
        return options
    }

    /// The transport of one rank, which has not met the others.
    static func transport(
        rank: Rank, worldSize: Int = 2, host: String = "here", _ options: TCPOptions = loopback,
        key: UInt64 = 1
    ) throws -> TCPTransport {
        try TCPTransport(
            rank: rank, worldSize: worldSize, host: host, options: options, authenticator: KeyedSum(key: key),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// The transports of all ranks, which have met.
    static func met(_ worldSize: Int, _ options: TCPOptions = loopback) throws -> [TCPTransport] {
        let transports = try (0..<worldSize).map { try transport(rank: $0, worldSize: worldSize, options) }
        for transport in transports { try transport.meet(transports.map(\.card)) }
        return transports
    }

    /// A rank 1 whose rank 0 is said to be at `address`.
    static func rankOne(
        facing address: SocketAddress, worldSize: Int = 2, _ options: TCPOptions = loopback
    ) throws -> TCPTransport {
        let transport = try transport(rank: 1, worldSize: worldSize, options)
        var cards = [AddressCard(host: "here", addresses: [address]).bytes, transport.card]
        while cards.count < worldSize { cards.append(transport.card) }
        try transport.meet(cards)
        return transport
    }

    /// How many established connections this end of a listener has.
    static func connectionCount(atPort port: UInt16) -> Int {
        let digits = String(port, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: 4 - digits.count) + digits
        return ["/proc/self/net/tcp", "/proc/self/net/tcp6"].reduce(0) { count, path in
            count
                + lines(of: path).filter { line in
                    let fields = line.split(separator: " ")
                    return fields.count > 3 && fields[1].hasSuffix(suffix) && fields[3] == "01"
                }.count
        }
    }

    private static func lines(of path: String) -> [Substring] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
}

extension TCPTransport {
    /// Where the transport listens first.
    var address: SocketAddress { ownCard.addresses[0] }
}

/// Both ends of a link between two ranks, of which the lower one waits for the higher.
func connect(
    _ low: any Transport, _ high: any Transport, _ identifier: LinkIdentifier = LinkIdentifier(channel: 0),
    ranks: (Rank, Rank) = (0, 1)
) throws -> (low: any Link, high: any Link) {
    // The higher rank dials, and over TCP and in memory need not wait.
    let above = try high.link(to: ranks.0, identifier, deadline: .after(.seconds(20)))
    let below = try low.link(to: ranks.1, identifier, deadline: .after(.seconds(20)))
    return (below, above)
}
