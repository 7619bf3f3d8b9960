public import RingCore

/// Which rank of which job this process is, as its launcher said in the environment.
///
/// The *launcher* starts the processes of a job and tells each its rank: `ringrun`, torchrun, Slurm's `srun`,
/// Open MPI's and MPICH's `mpirun`, or Kubernetes with an indexed job. The variables of all of them are read
/// here and nowhere else. `MASTER_ADDR`, `MASTER_PORT` and the library's own `RING_STORE`, `RING_JOB_ID`,
/// `RING_JOB_SECRET` and `RING_JOB_SECRET_FILE` count under every launcher.
public struct LaunchEnvironment: Sendable, Equatable {
    /// This process's rank.
    public var rank: Rank
    /// How many ranks the job has.
    public var worldSize: Int
    /// This process's number among the ranks of its host, where the launcher says it.
    public var localRank: Rank?
    /// How many ranks this host has, where the launcher says it.
    public var localWorldSize: Int?
    /// Where the ranks find each other; nil for a job of one rank that needs no store.
    public var store: StoreLocation?
    /// What the ranks prove their membership with, if the job has a secret.
    public var jobSecret: [UInt8]?
    /// What tells this job, and this attempt of it, from others, where the launcher says it.
    public var jobIdentifier: String?
    /// The launcher's name, for messages: `torchrun`, `Slurm`, `Open MPI`, `MPICH`, `Kubernetes`.
    public var launcher: String

    /// Describes a rank directly.
    public init(
        rank: Rank, worldSize: Int, localRank: Rank? = nil, localWorldSize: Int? = nil,
        store: StoreLocation? = nil, jobSecret: [UInt8]? = nil, jobIdentifier: String? = nil,
        launcher: String = "none"
    ) {
        self.rank = rank
        self.worldSize = worldSize
        self.localRank = localRank
        self.localWorldSize = localWorldSize
        self.store = store
        self.jobSecret = jobSecret
        self.jobIdentifier = jobIdentifier
        self.launcher = launcher
    }

    /// The host of rank 0, where the store is one over TCP.
    public var masterAddress: String? {
        if case .tcp(let host, _) = store { host } else { nil }
    }

    /// The port of rank 0's store, where the store is one over TCP.
    public var masterPort: UInt16? {
        if case .tcp(_, let port) = store { port } else { nil }
    }

    /// The library's own variables that are read here, whatever the launcher.
    package static let ownVariables = [
        "RING_JOB_ID", "RING_JOB_SECRET", "RING_JOB_SECRET_FILE", "RING_STORE",
    ]

    /// Reads a launcher's variables; nil if no launcher left any.
    ///
    /// `RANK` decides for torchrun's names. Else the innermost launcher counts: Open MPI's and MPICH's
    /// before Slurm's, since `mpirun` within a Slurm job passes variables of Slurm's on that are not the
    /// rank's own. Where `MASTER_ADDR` is not set it is 127.0.0.1 if all ranks are on one host, and under
    /// Slurm the first host of the node list. Where `MASTER_PORT` is not set it follows from the job's number
    /// (15000 to 24999) under Slurm and Open MPI, and is 29500 elsewhere. Under torchrun proper, whose agent
    /// occupies `MASTER_PORT`, the next port is taken.
    ///
    /// - Throws: `invalidConfiguration`, naming the variable, its value and what to set.
    public static func read(from environment: [String: String]) throws -> LaunchEnvironment? {
        let variables = EnvironmentVariables(environment)
        let world: LauncherVariables
        if variables.has("RANK") {
            world = try .torchrun(variables)
        } else if variables.has("OMPI_COMM_WORLD_RANK") || variables.has("OMPI_COMM_WORLD_SIZE") {
            world = try .openMPI(variables)
        } else if variables.has("MPI_LOCALRANKID") && variables.has("PMI_RANK") {
            world = try .mpich(variables)
        } else if variables.has("SLURM_PROCID") {
            world = try .slurm(variables)
        } else if variables.has("PMI_RANK") || variables.has("PMI_SIZE") {
            world = try .mpich(variables)
        } else if variables.has("JOB_COMPLETION_INDEX") {
            world = try .kubernetes(variables)
        } else if let size = variables["WORLD_SIZE"] {
            throw variables.error("WORLD_SIZE is set (\(size)) but RANK is not; set both or neither")
        } else {
            return nil
        }
        try world.check(against: variables)
        return LaunchEnvironment(
            rank: world.rank.value, worldSize: world.worldSize.value, localRank: world.localRank?.value,
            localWorldSize: world.localWorldSize, store: try StoreLocation.find(variables, for: world),
            jobSecret: try variables.jobSecret(),
            jobIdentifier: try variables.text("RING_JOB_ID") ?? world.jobIdentifier,
            launcher: world.launcher)
    }
}
