// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "ring-collectives",
    products: [
        .library(name: "RingCollectives", targets: ["RingCollectives"]),
        .executable(name: "ringrun", targets: ["ringrun"]),
        .executable(name: "ringbench", targets: ["ringbench"]),
        .executable(name: "ringtrain", targets: ["ringtrain"]),
    ],
    traits: [
        .trait(name: "RDMA", description: "The RDMA transport, over libibverbs and librdmacm."),
        .trait(name: "LZ4", description: "LZ4 compression, over liblz4."),
        .default(enabledTraits: ["RDMA", "LZ4"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // The library, lowest layer first. A target imports only what stands above it here.
        .target(name: "CRingKernels"),
        .target(name: "RingCore"),
        // The operating system, wrapped once: sockets, descriptors, locks that can be waited on.
        .target(name: "CRingSystem"),
        .target(name: "RingSystem", dependencies: ["RingCore", "CRingSystem"]),
        .target(name: "RingKernels", dependencies: ["RingCore", "CRingKernels"]),
        .target(name: "CLZ4", linkerSettings: [.linkedLibrary("lz4", .when(traits: ["LZ4"]))]),
        .target(
            name: "RingCompression",
            dependencies: [
                "RingCore", "RingKernels", .target(name: "CLZ4", condition: .when(traits: ["LZ4"])),
            ]
        ),
        .target(name: "RingCompressionTesting", dependencies: ["RingCore", "RingCompression"]),
        .target(name: "RingPlan", dependencies: ["RingCore"]),
        .target(name: "RingTransport", dependencies: ["RingCore", "RingSystem"]),
        .target(
            name: "RingTransportTCP",
            dependencies: [
                "RingCore", "RingSystem", "RingTransport", .product(name: "Logging", package: "swift-log"),
            ]
        ),
        // Without the trait it compiles to nothing and links nothing.
        .target(
            name: "CRingVerbs",
            cSettings: [.define("RDMA", .when(traits: ["RDMA"]))],
            linkerSettings: [
                .linkedLibrary("ibverbs", .when(traits: ["RDMA"])),
                .linkedLibrary("rdmacm", .when(traits: ["RDMA"])),
            ]
        ),
        .target(
            name: "RingTransportRDMA",
            dependencies: [
                "RingCore", "RingSystem", "RingTransport",
                .target(name: "CRingVerbs", condition: .when(traits: ["RDMA"])),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "RingTransportTesting",
            dependencies: ["RingCore", "RingSystem", "RingTransport", "RingTransportRDMA"]
        ),
        .target(
            name: "RingBootstrap",
            dependencies: ["RingCore", "RingSystem", .product(name: "Crypto", package: "swift-crypto")]
        ),
        .target(
            name: "RingCollectives",
            dependencies: [
                "RingCore", "RingSystem", "RingKernels", "RingCompression", "RingPlan", "RingTransport",
                "RingTransportTCP", "RingTransportRDMA", "RingBootstrap",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),

        // The commands: thin mains over testable code.
        .target(name: "RingLaunch", dependencies: ["RingCore", "RingSystem", "RingBootstrap"]),
        // What ringbench and ringtrain share.
        .target(
            name: "RingCommandLine",
            dependencies: [
                "RingCore", "RingSystem", "RingLaunch",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .target(
            name: "RingBenchCommand",
            dependencies: [
                "RingCollectives", "RingCommandLine", "RingCompression", "RingCore", "RingLaunch", "RingPlan",
                "RingSystem", "RingTransportRDMA",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .target(name: "COpenBLAS", linkerSettings: [.linkedLibrary("openblas")]),
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
        .target(
            name: "RingTrainCommand",
            dependencies: [
                "RingCollectives", "RingCommandLine", "RingCompression", "RingCore", "RingLaunch",
                "RingSystem",
                "COpenBLAS",
                "CZlib",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            resources: [.copy("Resources/digits.csv.gz"), .copy("Resources/SOURCE.md")]
        ),
        .executableTarget(
            name: "ringrun",
            dependencies: [
                "RingCore", "RingLaunch", "RingSystem",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(name: "ringbench", dependencies: ["RingBenchCommand"]),
        .executableTarget(name: "ringtrain", dependencies: ["RingTrainCommand"]),

        .target(name: "RingTestSupport", path: "Tests/RingTestSupport"),
        .testTarget(name: "RingCoreTests", dependencies: ["RingCore"]),
        .testTarget(name: "RingKernelsTests", dependencies: ["RingCore", "RingKernels", "RingTestSupport"]),
        .testTarget(
            name: "RingCompressionTests",
            dependencies: [
                "RingCore", "RingKernels", "RingCompression", "RingCompressionTesting", "RingTestSupport",
            ]
        ),
        // Decodes what nobody encoded, for as long as it is told.
        .executableTarget(
            name: "codec-fuzz", dependencies: ["RingCompressionTesting"], path: "Tests/CodecFuzz",
            exclude: ["Corpus"]),
        .testTarget(name: "RingPlanTests", dependencies: ["RingCore", "RingPlan", "RingTestSupport"]),
        .testTarget(
            name: "RingTransportTests",
            dependencies: [
                "RingCore", "RingSystem", "RingTransport", "RingTransportTesting", "RingTransportTCP",
                "RingTransportRDMA", "RingTestSupport", .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(name: "RingBootstrapTests", dependencies: ["RingCore", "RingSystem", "RingBootstrap"]),
        .testTarget(
            name: "RingCollectivesTests",
            dependencies: [
                "RingCollectives", "RingCompression", "RingCore", "RingSystem", "RingPlan", "RingTransport",
                "RingTransportTesting", "RingTransportTCP", "RingTransportRDMA", "RingBootstrap",
                "RingTestSupport",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        // Ranks as processes that are killed and stopped.
        .executableTarget(
            name: "fault-subject", dependencies: ["RingCollectives"], path: "Tests/FaultSubject"),
        .target(
            name: "RingProcessSupport", dependencies: ["RingBootstrap"], path: "Tests/RingProcessSupport"),
        .testTarget(name: "FaultTests", dependencies: ["RingProcessSupport", "fault-subject"]),
        // Ranks as processes whose allocations are counted.
        .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
        .executableTarget(
            name: "allocation-subject", dependencies: ["RingCollectives", "CAllocationCounter"],
            path: "Tests/AllocationSubject"),
        // Not of the program: what it counts with would count, and replace a sanitizer's, in the tests' process too.
        .testTarget(name: "AllocationTests", dependencies: ["RingProcessSupport"]),
        .testTarget(name: "RingLaunchTests", dependencies: ["RingLaunch", "RingCore", "ringrun"]),
        .testTarget(
            name: "RingBenchCommandTests",
            dependencies: [
                "RingBenchCommand", "RingCollectives", "RingCore", "RingSystem", "RingPlan",
                "RingTransportRDMA",
                "RingTransportTesting", "ringbench",
            ]
        ),
        .testTarget(
            name: "RingTrainCommandTests",
            dependencies: [
                "RingTrainCommand", "RingCommandLine", "RingCollectives", "RingCompression", "RingCore",
                "ringtrain",
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where [.executable, .test, .regular].contains(target.type) {
    var settings = target.swiftSettings ?? []
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
    settings.append(.enableUpcomingFeature("ExistentialAny"))
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0409-access-level-on-imports.md
    settings.append(.enableUpcomingFeature("InternalImportsByDefault"))
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
    settings.append(.enableUpcomingFeature("MemberImportVisibility"))
    // The project's own checks let no warning pass; who depends on it is not held up by a newer compiler's.
    if Context.environment["RING_WARNINGS_AS_ERRORS"] != nil {
        settings.append(.treatAllWarnings(as: .error))
    }
    target.swiftSettings = settings
}

// The documentation's own build asks for the DocC plugin; nobody who depends on this package fetches it.
if Context.environment["RING_BUILD_DOCUMENTATION"] != nil {
    package.dependencies.append(
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"))
}

// The micro-benchmarks measure what only this package sees, so they are a target of it; but nobody who depends on it
// fetches what they are made with.
if Context.environment["RING_BUILD_BENCHMARKS"] != nil {
    package.dependencies.append(
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []))
    package.targets.append(
        .executableTarget(
            name: "Micro",
            dependencies: [
                "RingCore", "RingKernels", "RingPlan", "RingTransport",
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/Micro",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]))
}
