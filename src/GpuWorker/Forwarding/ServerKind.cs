namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>What speaks at a server that is forwarded to.</summary>
internal enum ServerKind
{
    /// <summary>Ollama's own API.</summary>
    Ollama,

    /// <summary>OpenAI's API, and nothing beyond it.</summary>
    OpenAI,

    /// <summary>OpenAI's API with vLLM's additions.</summary>
    Vllm,

    /// <summary>OpenAI's API with those of llama.cpp's server.</summary>
    LlamaServer,
}

internal static class ServerKinds
{
    private static readonly (string Name, ServerKind Kind)[] All =
        [("ollama", ServerKind.Ollama), ("openai", ServerKind.OpenAI), ("vllm", ServerKind.Vllm), ("llama-server", ServerKind.LlamaServer)];

    /// <summary>All names, for people.</summary>
    public static string Names => string.Join(", ", All.Select(kind => kind.Name));

    public static string NameOf(ServerKind kind) => All.Single(known => known.Kind == kind).Name;

    /// <summary>Null where nothing is called so.</summary>
    public static ServerKind? Find(string name) => All.FirstOrDefault(known => known.Name == name) is { Name: not null } found ? found.Kind : null;
}
