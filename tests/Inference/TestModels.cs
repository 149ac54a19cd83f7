using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Native;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests;

/// <summary>Model files, written once a run and removed with it.</summary>
public static class TestModels
{
    private static readonly string s_directory = Directory.CreateTempSubdirectory("ollamamax-models-").FullName;
    private static readonly Dictionary<GgufSpec, string> s_files = [];
    private static readonly Lock s_lock = new();

    static TestModels() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(s_directory, recursive: true);

    public static GgufSpec Tiny { get; } = new();

    public static string Demo { get; } = FindUpwards(Path.Combine("models", "demo", "ollamamax-demo.gguf"));

    public static string File(GgufSpec spec)
    {
        lock (s_lock)
        {
            if (!s_files.TryGetValue(spec, out string? path))
            {
                path = s_files[spec] = NewPath();
                GgufGenerator.Write(path, spec);
            }
            return path;
        }
    }

    /// <summary>A path where nothing is yet.</summary>
    public static string NewPath() => Path.Combine(s_directory, $"{Guid.NewGuid():n}.gguf");

    /// <summary>What comes after a few words, as a model decodes them in a context of its own.</summary>
    internal static float[] LogitsOf(INativeModel model)
    {
        using INativeContext context = model.CreateContext(new ContextConfig { Capacity = 256, Sequences = 1, BatchSize = 64, Threads = 1 });
        DecodeBatch batch = Words(model);

        context.Decode(batch).ShouldBe(DecodeOutcome.Ok);

        return context.Logits(batch.Count - 1).ToArray();
    }

    /// <summary>These words; what comes after them is asked for.</summary>
    internal static DecodeBatch Words(INativeModel model)
    {
        DecodeBatch batch = new(64);
        int[] tokens = model.Tokenize("hello there"u8, addSpecial: true, parseSpecial: false);
        for (int i = 0; i < tokens.Length; i++)
            batch.Add(tokens[i], i, 0, output: i == tokens.Length - 1);
        return batch;
    }

    /// <summary>
    /// None: everything is exact on the CPU. On a box with a GPU, <c>OLLAMAMAX_TEST_GPU_LAYERS=-1</c> runs the same tests on it; those that ask for exact numbers fail
    /// there, as CUDA multiplies in TF32.
    /// </summary>
    internal static int GpuLayers { get; } =
        int.Parse(Environment.GetEnvironmentVariable("OLLAMAMAX_TEST_GPU_LAYERS") ?? "0", CultureInfo.InvariantCulture);

    /// <summary>By the native that this build is for: one contract, whoever implements it.</summary>
    internal static INativeModel Load(GgufSpec spec) => Load(File(spec));

    internal static INativeModel Load(string path) => NativeModels.Load(
        NativeKind.Default, path, new ModelConfig(GpuLayers), NullLoggerFactory.Instance, CancellationToken.None);

    private static string FindUpwards(string relative)
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(directory.FullName, relative)))
                return Path.Combine(directory.FullName, relative);
        }
        throw new FileNotFoundException(relative);
    }
}
