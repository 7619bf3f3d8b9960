import RingCore
import Testing

@testable import RingBootstrap

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Each launcher with the variables that it really sets.
@Suite struct LaunchEnvironmentTests {
    private func read(_ environment: [String: String]) throws -> LaunchEnvironment? {
        try LaunchEnvironment.read(from: environment)
    }

    @Test func noLauncher() throws {
        #expect(try read([:]) == nil)
        #expect(try read(["PATH": "/bin", "MASTER_ADDR": "a", "MASTER_PORT": "1", "LOCAL_RANK": "0"]) == nil)
        // A shell within an allocation of Slurm's is no rank.
        #expect(try read(["SLURM_JOB_ID": "5", "SLURM_NTASKS": "8", "SLURM_JOB_NODELIST": "n[1-2]"]) == nil)
    }

    static let torchrun = [
        "LOCAL_RANK": "1", "RANK": "5", "GROUP_RANK": "1", "ROLE_RANK": "5", "ROLE_NAME": "default",
        "LOCAL_WORLD_SIZE": "4", "WORLD_SIZE": "8", "GROUP_WORLD_SIZE": "2", "ROLE_WORLD_SIZE": "8",
        "MASTER_ADDR": "node0.cluster", "MASTER_PORT": "29400", "TORCHELASTIC_RESTART_COUNT": "2",
        "TORCHELASTIC_MAX_RESTARTS": "3", "TORCHELASTIC_RUN_ID": "4711",
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "OMP_NUM_THREADS": "1",
    ]

    @Test func torchrunWithItsAgentsStore() throws {
        let launch = try read(Self.torchrun)
        #expect(
            launch
                == LaunchEnvironment(
                    rank: 5, worldSize: 8, localRank: 1, localWorldSize: 4,
                    store: .tcp(host: "node0.cluster", port: 29_401), jobIdentifier: "torchrun-4711-2",
                    launcher: "torchrun"))
        #expect(launch?.masterAddress == "node0.cluster")
        #expect(launch?.masterPort == 29_401)
    }

    @Test func torchrunsNamesFromAScript() throws {
        #expect(
            try read(["RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "::1", "MASTER_PORT": "1234"])
                == LaunchEnvironment(
                    rank: 0, worldSize: 2, store: .tcp(host: "::1", port: 1234), launcher: "torchrun"))
        #expect(
            try read(["RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"])?.store
                == .tcp(host: "127.0.0.1", port: 29_500))
        #expect(try read(["RANK": "0", "WORLD_SIZE": "1"])?.store == nil)
    }

    /// As `srun -N 4 -n 7` sets them by its documentation (Slurm 22.05): not captured from a run.
    static let slurm = [
        "SLURM_JOB_ID": "4711", "SLURM_JOBID": "4711", "SLURM_STEP_ID": "2", "SLURM_STEPID": "2",
        "SLURM_PROCID": "6", "SLURM_LOCALID": "0", "SLURM_NODEID": "3", "SLURM_NTASKS": "7",
        "SLURM_NPROCS": "7", "SLURM_STEP_NUM_TASKS": "7", "SLURM_STEP_NUM_NODES": "4", "SLURM_NNODES": "4",
        "SLURM_JOB_NUM_NODES": "4", "SLURM_JOB_NODELIST": "gpu[003-005,009]",
        "SLURM_NODELIST": "gpu[003-005,009]",
        "SLURM_STEP_NODELIST": "gpu[003-005,009]", "SLURM_STEP_TASKS_PER_NODE": "2(x3),1",
        "SLURM_TASKS_PER_NODE": "2(x3),1", "SLURM_GTIDS": "6", "SLURM_LAUNCH_NODE_IPADDR": "10.0.0.1",
        "SLURM_SRUN_COMM_HOST": "10.0.0.1", "SLURM_CPUS_ON_NODE": "2", "SLURM_TASK_PID": "99",
        "SLURM_MPI_TYPE": "pmi2", "PMI_RANK": "6", "PMI_SIZE": "7", "PMI_FD": "9", "PMI_JOBID": "4711.2",
        "SLURMD_NODENAME": "gpu009",
    ]

    @Test func slurmOverSeveralHosts() throws {
        let launch = try #require(try read(Self.slurm))
        #expect(launch.rank == 6 && launch.worldSize == 7)
        #expect(launch.localRank == 0 && launch.localWorldSize == 1)
        #expect(launch.masterAddress == "gpu003")
        let port = try #require(launch.masterPort)
        #expect((15_000..<25_000).contains(port))
        #expect(launch.jobIdentifier == "slurm-4711.2-0")
        #expect(launch.launcher == "Slurm")
        // The same on all ranks; another step of the job has another port.
        var other = Self.slurm
        other["SLURM_PROCID"] = "0"
        other["SLURM_NODEID"] = "0"
        #expect(try read(other)?.masterPort == port)
        #expect(try read(other)?.localWorldSize == 2)
        other["SLURM_STEP_ID"] = "3"
        #expect(try read(other)?.masterPort != port)
        other["MASTER_ADDR"] = "elsewhere"
        other["MASTER_PORT"] = "777"
        #expect(try read(other)?.store == .tcp(host: "elsewhere", port: 777))
    }

    @Test func slurmOnOneHostAndWithLittle() throws {
        var environment = Self.slurm
        environment["SLURM_NODEID"] = "0"
        environment["SLURM_PROCID"] = "3"
        environment["SLURM_LOCALID"] = "3"
        environment["SLURM_STEP_TASKS_PER_NODE"] = "7"
        #expect(try read(environment)?.masterAddress == "127.0.0.1")
        #expect(try read(environment)?.localWorldSize == 7)
        #expect(
            try read(["SLURM_PROCID": "1", "SLURM_NTASKS": "2", "SLURM_NODELIST": "a,b"])
                == LaunchEnvironment(
                    rank: 1, worldSize: 2, store: .tcp(host: "a", port: 29_500), launcher: "Slurm"))
        #expect(
            try read([
                "SLURM_PROCID": "1", "SLURM_NTASKS": "4", "SLURM_NTASKS_PER_NODE": "2",
                "SLURM_NODELIST": "a,b",
            ])?
            .localWorldSize == 2)
    }

    /// Captured from `mpirun` of Open MPI 4.1.4 with `-n 2`.
    static let openMPI = [
        "OMPI_APP_CTX_NUM_PROCS": "2", "OMPI_COMMAND": "env", "OMPI_COMM_WORLD_LOCAL_RANK": "1",
        "OMPI_COMM_WORLD_LOCAL_SIZE": "2", "OMPI_COMM_WORLD_NODE_RANK": "1", "OMPI_COMM_WORLD_RANK": "1",
        "OMPI_COMM_WORLD_SIZE": "2", "OMPI_FIRST_RANKS": "0", "OMPI_MCA_ess_base_jobid": "1252130817",
        "OMPI_MCA_ess_base_vpid": "1", "OMPI_MCA_orte_ess_num_procs": "2", "OMPI_MCA_orte_num_nodes": "1",
        "OMPI_MCA_orte_hnp_uri": "1252130816.0;tcp://192.0.2.2:49213", "OMPI_NUM_APP_CTX": "1",
        "OMPI_UNIVERSE_SIZE": "2", "PMIX_HOSTNAME": "vm", "PMIX_ID": "1252130817.1",
        "PMIX_NAMESPACE": "1252130817", "PMIX_RANK": "1", "PMIX_VERSION": "4.2.2rc2",
    ]

    @Test func openMPIOnOneHost() throws {
        let launch = try #require(try read(Self.openMPI))
        #expect(launch.rank == 1 && launch.worldSize == 2)
        #expect(launch.localRank == 1 && launch.localWorldSize == 2)
        #expect(launch.masterAddress == "127.0.0.1")
        #expect((15_000..<25_000).contains(try #require(launch.masterPort)))
        #expect(launch.jobIdentifier == "openmpi-1252130817")
        #expect(launch.launcher == "Open MPI")
        // Within a Slurm job, Slurm's variables are those of the daemon that started this rank.
        #expect(try read(Self.slurm.merging(Self.openMPI) { $1 })?.rank == 1)
    }

    @Test func openMPIOverSeveralHostsNeedsMasterAddress() throws {
        var environment = Self.openMPI
        environment["OMPI_COMM_WORLD_SIZE"] = "4"
        let error = try errorOf { try read(environment) }
        #expect(error.code == .invalidConfiguration)
        #expect(error.message.contains("MASTER_ADDR is not set") && error.message.contains("Open MPI"))
        environment["MASTER_ADDR"] = "10.0.0.1"
        #expect(try read(environment)?.masterAddress == "10.0.0.1")
    }

    /// Captured from `mpiexec.hydra` of MPICH 4.0.2 with `-n 2`.
    static let mpich = [
        "GFORTRAN_UNBUFFERED_PRECONNECTED": "y", "HYDI_CONTROL_FD": "7",
        "MPIR_CVAR_CH3_INTERFACE_HOSTNAME": "vm", "MPI_LOCALNRANKS": "2", "MPI_LOCALRANKID": "1",
        "PMI_FD": "8", "PMI_RANK": "1", "PMI_SIZE": "2",
    ]

    @Test func mpich() throws {
        let expected = LaunchEnvironment(
            rank: 1, worldSize: 2, localRank: 1, localWorldSize: 2,
            store: .tcp(host: "127.0.0.1", port: 29_500),
            launcher: "MPICH")
        #expect(try read(Self.mpich) == expected)
        #expect(try read(Self.slurm.merging(Self.mpich) { $1 })?.rank == 1)
        #expect(
            try read(["PMI_RANK": "1", "PMI_SIZE": "2", "MASTER_ADDR": "h", "MASTER_PORT": "5"])?.store
                == .tcp(host: "h", port: 5))
    }

    @Test func kubernetes() throws {
        let environment = [
            "JOB_COMPLETION_INDEX": "3", "WORLD_SIZE": "4", "MASTER_ADDR": "train-0.train",
            "KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_PORT": "tcp://10.96.0.1:443",
            "HOSTNAME": "train-3",
        ]
        #expect(
            try read(environment)
                == LaunchEnvironment(
                    rank: 3, worldSize: 4, store: .tcp(host: "train-0.train", port: 29_500),
                    launcher: "Kubernetes"))
    }

    @Test func theLibrarysOwnVariables() throws {
        var environment = Self.torchrun
        environment["RING_STORE"] = "tcp://[fe80::1]:4000"
        environment["RING_JOB_SECRET"] = "hush"
        environment["RING_JOB_ID"] = "mine"
        let launch = try #require(try read(environment))
        #expect(launch.store == .tcp(host: "fe80::1", port: 4000))
        #expect(launch.jobSecret == Array("hush".utf8))
        #expect(launch.jobIdentifier == "mine")
        environment["RING_STORE"] = "file:///shared/jobs"
        #expect(try read(environment)?.store == .file(directory: "/shared/jobs"))
        #expect(try read(environment)?.masterPort == nil)
    }

    @Test func aSecretFromAFile() throws {
        let folder = TemporaryFolder()
        func write(_ name: String, _ text: String) -> String {
            let path = folder.path + "/" + name
            let file = open(path, O_CREAT | O_WRONLY, 0o600)
            _ = text.withCString { Glibc.write(file, $0, strlen($0)) }
            close(file)
            return path
        }
        func launch(_ path: String, _ more: [String: String] = [:]) throws -> LaunchEnvironment? {
            try read(["RANK": "0", "WORLD_SIZE": "1", "RING_JOB_SECRET_FILE": path].merging(more) { $1 })
        }
        #expect(try launch(write("a", "hush\r\n"))?.jobSecret == Array("hush".utf8))
        let empty = write("b", "\n")
        #expect(try errorOf { try launch(empty) }.message.contains("\(empty), which holds no secret"))
        let absent = folder.path + "/absent"
        #expect(try errorOf { try launch(absent) }.message.contains("\(absent), which cannot be read"))
        #expect(try errorOf { try launch(folder.path) }.message.contains("cannot be read"))
        #expect(try errorOf { try launch(empty, ["RING_JOB_SECRET": "x"]) }.message.contains("both set"))
    }

    @Test(arguments: [
        (["RANK": "3"], "RANK is set (3) but WORLD_SIZE is not"),
        (["WORLD_SIZE": "3"], "WORLD_SIZE is set (3) but RANK is not"),
        (["OMPI_COMM_WORLD_SIZE": "3"], "OMPI_COMM_WORLD_SIZE is set (3) but OMPI_COMM_WORLD_RANK is not"),
        (["OMPI_COMM_WORLD_RANK": "3"], "OMPI_COMM_WORLD_RANK is set (3) but OMPI_COMM_WORLD_SIZE is not"),
        (["PMI_SIZE": "3"], "PMI_SIZE is set (3) but PMI_RANK is not"),
        (["PMI_RANK": "3"], "PMI_RANK is set (3) but PMI_SIZE is not"),
        (["SLURM_PROCID": "3"], "SLURM_PROCID is set (3) but SLURM_NTASKS is not"),
        (["JOB_COMPLETION_INDEX": "3"], "JOB_COMPLETION_INDEX is set (3) but WORLD_SIZE is not"),
        (["RANK": "x", "WORLD_SIZE": "3"], "RANK is \"x\", which is not a number"),
        (["RANK": "", "WORLD_SIZE": "3"], "RANK is \"\", which is not a number"),
        (["RANK": "0", "WORLD_SIZE": "1e3"], "WORLD_SIZE is \"1e3\", which is not a number"),
        (["RANK": "-1", "WORLD_SIZE": "3"], "RANK is -1, which is negative"),
        (["RANK": "0", "WORLD_SIZE": "-3"], "WORLD_SIZE is -3, which is negative"),
        (["RANK": "0", "WORLD_SIZE": "0"], "WORLD_SIZE is 0"),
        (["RANK": "3", "WORLD_SIZE": "3"], "RANK is 3, which is out of range: WORLD_SIZE is 3"),
        (["PMI_RANK": "9", "PMI_SIZE": "3"], "PMI_RANK is 9, which is out of range: PMI_SIZE is 3"),
        (
            ["RANK": "0", "WORLD_SIZE": "3", "LOCAL_RANK": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "a"],
            "LOCAL_RANK is 2, which is out of range"
        ),
        (["RANK": "0", "WORLD_SIZE": "3", "LOCAL_WORLD_SIZE": "4"], "said to have 4 ranks of a job of 3"),
        (["RANK": "0", "WORLD_SIZE": "3", "MASTER_PORT": "1"], "MASTER_ADDR is not set"),
        (["RANK": "0", "WORLD_SIZE": "3", "MASTER_ADDR": ""], "MASTER_ADDR is set but empty"),
        (
            ["RANK": "0", "WORLD_SIZE": "3", "MASTER_ADDR": "a", "MASTER_PORT": "65536"],
            "MASTER_PORT is 65536"
        ),
        (["RANK": "0", "WORLD_SIZE": "3", "MASTER_ADDR": "a", "MASTER_PORT": "0"], "MASTER_PORT is 0"),
        (
            ["RANK": "0", "WORLD_SIZE": "3", "MASTER_ADDR": "a", "MASTER_PORT": "http"],
            "MASTER_PORT is \"http\""
        ),
        (
            ["RANK": "0", "WORLD_SIZE": "3", "RING_STORE": "http://a"],
            "RING_STORE is \"http://a\"; it must be"
        ),
        (
            ["SLURM_PROCID": "0", "SLURM_NTASKS": "3", "WORLD_SIZE": "2"],
            "WORLD_SIZE is 2 but SLURM_NTASKS is 3"
        ),
        (["SLURM_PROCID": "0", "SLURM_NTASKS": "3", "SLURM_NODELIST": "a[1"], "SLURM_NODELIST is \"a[1\""),
        (
            ["SLURM_PROCID": "0", "SLURM_NTASKS": "3", "SLURM_TASKS_PER_NODE": "2(x"],
            "SLURM_TASKS_PER_NODE is \"2(x\""
        ),
        (["RANK": "0", "WORLD_SIZE": "1", "RING_JOB_SECRET": ""], "RING_JOB_SECRET is set but empty"),
    ])
    func badVariablesAreNamed(environment: [String: String], message: String) throws {
        let error = try errorOf { try read(environment) }
        #expect(error.code == .invalidConfiguration)
        #expect(error.message.contains(message))
        #expect(!error.message.contains("\n"))
    }

    @Test(
        arguments: [
            ("tcp://a:1", .tcp(host: "a", port: 1)),
            ("tcp://10.0.0.1:65535", .tcp(host: "10.0.0.1", port: 65_535)),
            ("tcp://[::1]:5", .tcp(host: "::1", port: 5)), ("file:///a/b", .file(directory: "/a/b")),
            ("tcp://a", nil), ("tcp://a:0", nil), ("tcp://:5", nil), ("tcp://a:65536", nil),
            ("tcp://::1:5", nil),
            ("tcp://a:5/x", nil), ("file://a/b", nil), ("/a/b", nil), ("", nil),
        ] as [(String, StoreLocation?)])
    func storeLocations(text: String, location: StoreLocation?) {
        #expect(StoreLocation(text) == location)
        if let location { #expect(location.description == text) }
    }

    @Test(
        arguments: [
            ("gpu1", "gpu1"), ("gpu[001-004,007],login1", "gpu001"), ("login1,gpu[1-2]", "login1"),
            ("rack[0-1]node[10-12]", "rack0node10"), ("n[7]", "n7"), ("a[1,3-5]b,c", "a1b"), ("[5-6]", "5"),
            ("", nil), ("a[", nil), ("a[1", nil), ("a]", nil), ("a[]", nil), ("a[1-]", nil), ("a[x]", nil),
            ("a[1,]", nil), ("a b", nil), ("a,b[", nil), ("a[1-2-3]", nil), (",", nil),
        ] as [(String, String?)])
    func firstHosts(list: String, host: String?) {
        #expect(SlurmNodeList.first(of: list) == host)
    }

    @Test(
        arguments: [
            ("1", [1]), ("2(x3),1", [2, 2, 2, 1]), ("4,2(x2)", [4, 2, 2]), ("0", [0]), ("", nil), ("x", nil),
            ("2(x3", nil), ("2(3)", nil), ("2(x0)", nil), ("-1", nil), ("2,", nil), ("1(x99999999)", nil),
        ] as [(String, [Int]?)])
    func taskCounts(list: String, counts: [Int]?) {
        #expect(SlurmNodeList.taskCounts(list) == counts)
    }

    @Test func aJobStoreForEachLocation() throws {
        let folder = TemporaryFolder()
        let shared = try JobStore(
            .file(directory: folder.path), rank: 1, job: "j", secret: nil, identity: "", deadline: ample)
        #expect((shared.store as? FileStore)?.folder == folder.path + "/ring-j")

        let port = try ReservedPort()
        let results = try onThreads(0..<3) { rank in
            let job = try JobStore(
                .tcp(host: "127.0.0.1", port: port.port), rank: rank, job: "j", secret: [1],
                identity: "host \(rank)", deadline: ample)
            let members = try Rendezvous.run(
                store: job.store, rank: rank, worldSize: 3, card: [UInt8(rank)], identity: "host \(rank)",
                prefix: "world", deadline: ample)
            // Rank 0 may close as soon as it has all cards: the others' are on their way.
            job.close()
            return members.map(\.card)
        }
        for result in results { #expect(try result.get() == [[0], [1], [2]]) }
    }
}
