import RingCore
import RingSystem
import RingTransport
import RingTransportRDMA
import RingTransportTCP

/// The transports that this rank could use, of which the ranks take one.
struct TransportOffers {
    /// The best first.
    let transports: [any Transport]
    /// Why something better is missing, in one line; empty if nothing is.
    let lack: String

    /// Transports that are there.
    init(_ transports: [any Transport], lack: String = "") {
        self.transports = transports
        self.lack = lack
    }

    /// The transports that a configuration asks for. Throws what is in the way of one that it insists on.
    init(_ configuration: Configuration) throws {
        switch configuration.transport.kind {
        case .tcp: self.init([try Self.tcp(configuration)])
        case .rdma: self.init([try Self.rdma(configuration)])
        case .automatic:
            var transports: [any Transport] = []
            var lack = ""
            do {
                transports = [try Self.rdma(configuration)]
            } catch let error as CollectiveError {
                lack = error.message
            }
            do {
                transports.append(try Self.tcp(configuration))
            } catch {
                for transport in transports { transport.shutdown() }
                throw error
            }
            self.init(transports, lack: lack)
        }
    }

    /// What peers need to know of each.
    var cards: [RankCard.Offer] { transports.map { RankCard.Offer(transport: $0.name, card: $0.card) } }

    /// Ends all but one of the transports, or all.
    func shutdown(except kept: (any Transport)? = nil) {
        for transport in transports where transport !== kept { transport.shutdown() }
    }

    private static func tcp(_ configuration: Configuration) throws -> any Transport {
        try TCPTransport(
            rank: configuration.rank, worldSize: configuration.worldSize, host: Host.network,
            options: configuration.tcpOptions, authenticator: configuration.authenticator,
            logger: configuration.logger)
    }

    private static func rdma(_ configuration: Configuration) throws -> any Transport {
        let rank = configuration.rank
        guard let verbs = BuiltVerbs.system else {
            throw CollectiveError(
                .unsupported,
                "rank \(rank): this build has no RDMA; build ring-collectives with its trait RDMA, which is on by "
                    + "default, or use tcp", peer: rank)
        }
        let interfaces: [NetworkInterface]
        do {
            interfaces = try NetworkInterface.all()
        } catch {
            throw CollectiveError(
                .system, "rank \(rank): cannot list the network interfaces", peer: rank, cause: error)
        }
        return try RDMATransport(
            rank: rank, worldSize: configuration.worldSize, host: Host.network,
            options: configuration.rdmaOptions, authenticator: configuration.authenticator, verbs: verbs,
            interfaces: interfaces, logger: configuration.logger)
    }
}
