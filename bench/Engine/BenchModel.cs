using System.Security.Cryptography;
using System.Text;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Bench.Engine;

/// <summary>The generated model, made once and kept in the system's folder for temporary files.</summary>
internal static class BenchModel
{
    public static string Find(GgufSpec spec, Action<string> report)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(spec.ToString())))[..12];
        string path = Path.Combine(Path.GetTempPath(), $"ollamamax-bench-{spec.Name}-{hash}.gguf");
        if (File.Exists(path))
            return path;
        report($"writing {path} (once)");
        // Under its own name only when it is whole.
        string part = $"{path}.{Environment.ProcessId}";
        GgufGenerator.Write(part, spec);
        File.Move(part, path, overwrite: true);
        return path;
    }
}
