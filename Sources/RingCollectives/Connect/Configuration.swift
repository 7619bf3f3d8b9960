public import Logging
public import RingBootstrap
public import RingCore

/// How a process joins a communicator.
public struct Configuration: Sendable {
    /// This process's number, 0 to `worldSize - 1`.
    public var rank: Rank
    /// How many ranks there are.
    public var worldSize: Int
    /// Where the ranks find each other.
    public var store: StoreChoice
    /// What tells this job's ranks from another's where jobs share a store.
    public var jobIdentifier: String
    /// A secret that only this job's ranks know: whoever connects must prove that it has it. `RING_JOB_SECRET`.
    public var jobSecret: [UInt8]?
    /// How ranks reach each other.
    public var transport = TransportOptions()
    /// Which algorithms to use where a call does not say: `auto` leaves the choice to the library, `ring` uses it for
    /// every collective that has it, `all-reduce=ring,broadcast=binomial-tree` says it for each; the same on all ranks.
    /// `RING_ALGORITHM`.
    public var algorithms = "auto"
    /// The file of the tuning document, as `ringbench tune` writes it, that the library chooses algorithms by. Rank 0's
    /// counts for all ranks. `RING_TUNING`.
    public var tuningFile: String?
    /// How long an operation may take if the call does not say. `RING_TIMEOUT`, in seconds.
    public var timeout: Duration = .seconds(300)
    /// How long all ranks may take to arrive and connect. `RING_CONNECT_TIMEOUT`, in seconds.
    public var connectTimeout: Duration = .seconds(60)
    /// Where the library says what it does; by default warnings go to standard error.
    public var logger: Logger

    /// The configuration of one rank, everything else with its default.
    public init(rank: Rank, worldSize: Int, store: StoreChoice, jobIdentifier: String = "default") {
        self.rank = rank
        self.worldSize = worldSize
        self.store = store
        self.jobIdentifier = jobIdentifier
        logger = Logger(label: "ring-collectives") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
    }

    /// A world of one rank: every collective works and nothing is sent.
    public static func single() -> Configuration {
        Configuration(rank: 0, worldSize: 1, store: .custom(InMemoryStore()))
    }
}

/// The store over which the ranks of a job find each other.
public struct StoreChoice: Sendable {
    enum Kind: Sendable {
        case location(StoreLocation)
        case custom(any Store)
    }

    let kind: Kind

    /// A store that rank 0 serves at this address. `MASTER_ADDR` and `MASTER_PORT`, or `RING_STORE=tcp://host:port`.
    public static func tcp(host: String, port: UInt16) -> StoreChoice {
        StoreChoice(kind: .location(.tcp(host: host, port: port)))
    }

    /// A directory that all ranks' hosts share. `RING_STORE=file:///directory`.
    public static func file(directory: String) -> StoreChoice {
        StoreChoice(kind: .location(.file(directory: directory)))
    }

    /// A store at a place that was read from text or the environment.
    public static func location(_ location: StoreLocation) -> StoreChoice {
        StoreChoice(kind: .location(location))
    }

    /// A store of the program's own: for threads as ranks, or one that the cluster has anyway.
    public static func custom(_ store: any Store) -> StoreChoice {
        StoreChoice(kind: .custom(store))
    }
}
