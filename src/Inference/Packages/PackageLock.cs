using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OllamaMax.Inference.Packages;

/// <summary>
/// npm's lock file, version 3: the wished-for one (<c>package-lock.json</c>) and the one npm writes last of all into
/// <c>node_modules/.package-lock.json</c> about what it installed have the same form.
/// https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json
/// </summary>
internal sealed partial record PackageLock(IReadOnlyDictionary<string, PackageLock.Entry> Packages)
{
    /// <summary>Empty lists of systems, processors and C libraries mean any.</summary>
    internal sealed record Entry(string? Version, IReadOnlyList<string>? Os, IReadOnlyList<string>? Cpu, IReadOnlyList<string>? Libc, bool Optional = false);

    public static PackageLock Read(string file)
    {
        using FileStream stream = File.OpenRead(file);
        return JsonSerializer.Deserialize(stream, JsonContext.Default.PackageLock)
            ?? throw new JsonException($"{file} holds no lock file.");
    }

    /// <summary>What is left when nothing that may be missing is installed.</summary>
    public PackageLock WithoutOptional() => new(Packages.Where(package => !package.Value.Optional).ToDictionary());

    /// <summary>
    /// The first package that this machine needs and <paramref name="installed"/> lacks; null when nothing is missing.
    /// npm leaves out an optional package that it could not fetch, and says nothing.
    /// </summary>
    public string? FirstMissingIn(PackageLock installed) => Packages
        .Where(package => package.Key.Length > 0 && IsForThisMachine(package.Value))
        .FirstOrDefault(package => installed.Packages.GetValueOrDefault(package.Key)?.Version != package.Value.Version)
        .Key;

    private static bool IsForThisMachine(Entry entry) =>
        Admits(entry.Os, SystemName) && Admits(entry.Cpu, ProcessorName) && Admits(entry.Libc, LibcName);

    private static bool Admits(IReadOnlyList<string>? names, string name) =>
        names is null or [] || names.Contains(name) || (names.All(n => n.StartsWith('!')) && !names.Contains("!" + name));

    /// <summary>Node's names: process.platform and process.arch.</summary>
    private static string SystemName =>
        OperatingSystem.IsWindows() ? "win32" : OperatingSystem.IsMacOS() ? "darwin" : "linux";

    private static string ProcessorName => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X86 => "ia32",
        Architecture other => other.ToString().ToLowerInvariant(),
    };

    private static string LibcName =>
        RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal) ? "musl" : "glibc";

    public static string Machine => $"{SystemName}-{ProcessorName}-{LibcName}";

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(PackageLock))]
    private sealed partial class JsonContext : JsonSerializerContext;
}
