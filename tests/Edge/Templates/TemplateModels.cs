using System.Text.Json;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Templates;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Edge.Tests.Templates;

/// <summary>Views of models that have nothing but what rendering asks for.</summary>
internal static class TemplateModels
{
    public static ModelView Demo { get; } = ReadDemo();

    public static JsonElement Weather { get; } = JsonElement.Parse("""
        {"type":"function","function":{"name":"get_weather","description":"Get the \"weather\" in Zürich & elsewhere <now>",
        "parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","maximum":7.5}},"required":["city"]}}}
        """);

    public static JsonElement Call { get; } = JsonElement.Parse("""{"function":{"name":"get_weather","arguments":{"city":"Oslo","days":2}}}""");

    public static ModelView With(string? template) => Demo with { Template = template, BosToken = "<s>", EosToken = "</s>" };

    public static PromptTemplates Templates(TimeProvider? time = null, Action<PromptTemplatesOptions>? configure = null)
    {
        PromptTemplatesOptions options = new();
        configure?.Invoke(options);
        return new PromptTemplates(Options.Create(options), time ?? TimeProvider.System);
    }

    private static ModelView ReadDemo()
    {
        DirectoryInfo at = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "models", "demo", "ollamamax-demo.gguf")))
            at = at.Parent ?? throw new FileNotFoundException("models/demo/ollamamax-demo.gguf is in no folder above the tests.");
        using FileStream file = File.OpenRead(Path.Combine(at.FullName, "models", "demo", "ollamamax-demo.gguf"));
        ModelConfig config = ModelConfig.From(GgufReader.Read(file));
        string digest = ModelDigest.Of("x"u8);
        ModelManifest manifest = new()
        {
            Config = new ModelLayer(ModelManifest.ConfigMediaType, digest, 0),
            Layers = [new ModelLayer(ModelLayer.Model, digest, file.Length)],
        };
        return config.ToView(ModelName.Parse("demo"), ModelDigest.Hex(digest), manifest, DateTimeOffset.UnixEpoch);
    }
}
