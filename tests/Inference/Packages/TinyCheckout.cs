using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using OllamaMax.TestKit;

namespace OllamaMax.Inference.Tests.Packages;

/// <summary>A checkout whose one npm package is a file beside it: npm installs it without a registry.</summary>
internal sealed class TinyCheckout : IDisposable
{
    private readonly TempFolder _folder = new();

    public TinyCheckout() => Lock("1.0.0");

    public string Root => _folder.Path;

    public bool IsInstalled(string version) =>
        File.Exists(_folder.File("node_modules/tiny/package.json"))
        && File.ReadAllText(_folder.File("node_modules/tiny/package.json")).Contains($"\"{version}\"", StringComparison.Ordinal);

    /// <summary>Writes package.json and package-lock.json that ask for this version.</summary>
    /// <param name="version">Of the package.</param>
    /// <param name="isOptional">npm leaves an optional package out when it fails.</param>
    /// <param name="isBroken">The lock file expects another content.</param>
    public void Lock(string version, bool isOptional = false, bool isBroken = false)
    {
        string file = _folder.File("tiny.tgz");
        Pack(file, version);
        string integrity = $"sha512-{Convert.ToBase64String(SHA512.HashData(isBroken ? [] : File.ReadAllBytes(file)))}";
        string kind = isOptional ? "optionalDependencies" : "dependencies";
        string package = $$"""{ "name": "checkout", "version": "1.0.0", "{{kind}}": { "tiny": "file:tiny.tgz" } }""";
        File.WriteAllText(_folder.File("package.json"), package);
        File.WriteAllText(_folder.File("package-lock.json"), $$"""
            {
              "name": "checkout", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
              "packages": {
                "": {{package}},
                "node_modules/tiny": { "version": "{{version}}", "resolved": "file:tiny.tgz", "integrity": "{{integrity}}"{{(isOptional ? ", \"optional\": true" : "")}} }
              }
            }
            """);
    }

    public void Dispose() => _folder.Dispose();

    private static void Pack(string file, string version)
    {
        using GZipStream zip = new(File.Create(file), CompressionLevel.Fastest);
        using TarWriter tar = new(zip);
        MemoryStream content = new(System.Text.Encoding.UTF8.GetBytes($$"""{ "name": "tiny", "version": "{{version}}" }"""));
        tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "package/package.json") { DataStream = content });
    }
}
