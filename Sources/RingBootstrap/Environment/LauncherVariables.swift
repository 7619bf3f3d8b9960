import RingCore

/// What one launcher's variables say, before `MASTER_ADDR` and the library's own are looked at.
struct LauncherVariables {
    var launcher: String
    var rank: EnvironmentVariables.Number
    var worldSize: EnvironmentVariables.Number
    var localRank: EnvironmentVariables.Number?
    var localWorldSize: Int?
    var jobIdentifier: String?
    /// The host of rank 0, where the launcher tells it.
    var masterAddress: String?
    /// The port where `MASTER_PORT` is not set.
    var defaultPort: UInt16 = 29_500
    /// What is added to `MASTER_PORT`.
    var portOffset: UInt16 = 0

    /// Whether the launcher says that all ranks are on this host.
    var isOneHost: Bool { localWorldSize == worldSize.value }

    /// torchrun's names, which `ringrun` and many scripts set too.
    static func torchrun(_ variables: EnvironmentVariables) throws -> LauncherVariables {
        var world = LauncherVariables(
            launcher: "torchrun", rank: try variables.number(["RANK"], besides: "RANK"),
            worldSize: try variables.number(["WORLD_SIZE"], besides: "RANK"),
            localRank: try variables.number("LOCAL_RANK"),
            localWorldSize: try variables.number("LOCAL_WORLD_SIZE")?.value)
        if let run = variables["TORCHELASTIC_RUN_ID"] {
            world.jobIdentifier = "torchrun-\(run)-\(variables["TORCHELASTIC_RESTART_COUNT"] ?? "0")"
        }
        // torchrun's agent serves a store of its own at MASTER_PORT.
        if variables["TORCHELASTIC_USE_AGENT_STORE"]?.lowercased() == "true" { world.portOffset = 1 }
        return world
    }

    /// Open MPI's `mpirun`, version 4 and 5.
    static func openMPI(_ variables: EnvironmentVariables) throws -> LauncherVariables {
        var world = LauncherVariables(
            launcher: "Open MPI",
            rank: try variables.number(["OMPI_COMM_WORLD_RANK"], besides: "OMPI_COMM_WORLD_SIZE"),
            worldSize: try variables.number(["OMPI_COMM_WORLD_SIZE"], besides: "OMPI_COMM_WORLD_RANK"),
            localRank: try variables.number("OMPI_COMM_WORLD_LOCAL_RANK"),
            localWorldSize: try variables.number("OMPI_COMM_WORLD_LOCAL_SIZE")?.value)
        if let job = variables["PMIX_NAMESPACE"] ?? variables["OMPI_MCA_ess_base_jobid"] {
            world.jobIdentifier = "openmpi-\(job)"
            world.defaultPort = port(of: job)
        }
        return world
    }

    /// MPICH's `mpirun` (Hydra) and its relatives, which tell nothing that is the job's alone.
    static func mpich(_ variables: EnvironmentVariables) throws -> LauncherVariables {
        LauncherVariables(
            launcher: "MPICH", rank: try variables.number(["PMI_RANK"], besides: "PMI_SIZE"),
            worldSize: try variables.number(["PMI_SIZE"], besides: "PMI_RANK"),
            localRank: try variables.number("MPI_LOCALRANKID"),
            localWorldSize: try variables.number("MPI_LOCALNRANKS")?.value)
    }

    /// Slurm's `srun`. Variables of the step go before those of the whole job.
    static func slurm(_ variables: EnvironmentVariables) throws -> LauncherVariables {
        var world = LauncherVariables(
            launcher: "Slurm", rank: try variables.number(["SLURM_PROCID"], besides: "SLURM_PROCID"),
            worldSize: try variables.number(
                ["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NPROCS"].filter(variables.has) + [
                    "SLURM_NTASKS"
                ],
                besides: "SLURM_PROCID"),
            localRank: try variables.number("SLURM_LOCALID"))
        world.localWorldSize = try slurmTasksOnThisNode(variables)
        for name in ["SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"] where variables.has(name)
        {
            guard let text = try variables.text(name) else { continue }
            guard let host = SlurmNodeList.first(of: text) else {
                throw variables.error("\(name) is \"\(oneLine(text))\", which is not a list of hosts")
            }
            world.masterAddress = host
            break
        }
        if let job = try variables.text("SLURM_JOB_ID") ?? variables.text("SLURM_JOBID") {
            let step = variables["SLURM_STEP_ID"] ?? variables["SLURM_STEPID"] ?? "0"
            let restart = variables["SLURM_RESTART_COUNT"] ?? "0"
            world.jobIdentifier = "slurm-\(job).\(step)-\(restart)"
            world.defaultPort = port(of: "\(job).\(step)")
        }
        return world
    }

    private static func slurmTasksOnThisNode(_ variables: EnvironmentVariables) throws -> Int? {
        for name in ["SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE"] where variables.has(name) {
            guard let text = try variables.text(name) else { continue }
            guard let counts = SlurmNodeList.taskCounts(text) else {
                throw variables.error("\(name) is \"\(oneLine(text))\", which is not a list of task counts")
            }
            let node = try variables.number("SLURM_NODEID")?.value ?? 0
            if node < counts.count, node == 0 || counts.count > 1 { return counts[node] }
        }
        return try variables.number("SLURM_NTASKS_PER_NODE")?.value
    }

    /// A Kubernetes indexed job, whose manifest must set WORLD_SIZE and MASTER_ADDR.
    static func kubernetes(_ variables: EnvironmentVariables) throws -> LauncherVariables {
        LauncherVariables(
            launcher: "Kubernetes",
            rank: try variables.number(["JOB_COMPLETION_INDEX"], besides: "JOB_COMPLETION_INDEX"),
            worldSize: try variables.number(["WORLD_SIZE"], besides: "JOB_COMPLETION_INDEX"))
    }

    /// A port from 15000 to 24999 (below those that systems hand out) that follows from the job's name.
    static func port(of job: String) -> UInt16 {
        // FNV-1a: the same on all hosts, unlike Swift's own hashing.
        let hash = job.utf8.reduce(0x811c_9dc5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        return UInt16(15_000 + hash % 10_000)
    }

    /// Holds the numbers against each other.
    func check(against variables: EnvironmentVariables) throws {
        guard worldSize.value > 0 else {
            throw variables.error("\(worldSize.name) is 0; a job has at least one rank")
        }
        guard rank.value < worldSize.value else {
            throw variables.error(
                "\(rank.name) is \(rank.value), which is out of range: \(worldSize.name) is "
                    + "\(worldSize.value), so ranks are 0 to \(worldSize.value - 1)")
        }
        if let localRank, let localWorldSize, localRank.value >= localWorldSize {
            throw variables.error(
                "\(localRank.name) is \(localRank.value), which is out of range: this host has "
                    + "\(localWorldSize) of the ranks")
        }
        if let localWorldSize, localWorldSize > worldSize.value || localWorldSize == 0 {
            throw variables.error(
                "this host is said to have \(localWorldSize) ranks of a job of \(worldSize.value) "
                    + "(\(worldSize.name))")
        }
        if let other = try variables.number("WORLD_SIZE"), other.value != worldSize.value {
            throw variables.error(
                "WORLD_SIZE is \(other.value) but \(worldSize.name) is \(worldSize.value); unset one, or set "
                    + "RANK too")
        }
    }
}
