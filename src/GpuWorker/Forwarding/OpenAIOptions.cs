using System.Text.Json;
using System.Text.Json.Nodes;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>Ollama's options in the words of servers with OpenAI's API. What has no word there is said, never left out in silence.</summary>
internal static class OpenAIOptions
{
    private static readonly Dictionary<string, string> Standard = new()
    {
        ["temperature"] = "temperature",
        ["top_p"] = "top_p",
        ["presence_penalty"] = "presence_penalty",
        ["frequency_penalty"] = "frequency_penalty",
        ["logit_bias"] = "logit_bias",
    };

    /// <summary>https://docs.vllm.ai: sampling parameters beyond OpenAI's.</summary>
    private static readonly Dictionary<string, string> Vllm = new()
    {
        ["top_k"] = "top_k",
        ["min_p"] = "min_p",
        ["repeat_penalty"] = "repetition_penalty",
    };

    /// <summary>llama.cpp's tools/server/README.md: those of its own completion are taken everywhere.</summary>
    private static readonly Dictionary<string, string> LlamaServer = new()
    {
        ["top_k"] = "top_k",
        ["min_p"] = "min_p",
        ["typical_p"] = "typical_p",
        ["repeat_penalty"] = "repeat_penalty",
        ["repeat_last_n"] = "repeat_last_n",
        ["mirostat"] = "mirostat",
        ["mirostat_tau"] = "mirostat_tau",
        ["mirostat_eta"] = "mirostat_eta",
        ["num_keep"] = "n_keep",
    };

    /// <summary>Writes them into the request; answers the first that the server does not know, or null.</summary>
    public static string? Write(ServerKind kind, IReadOnlyDictionary<string, JsonElement> options, JsonObject body)
    {
        foreach (var (name, value) in options)
        {
            if (name == "num_predict")
            {
                // To a full context, whatever the model says: nobody has a word for that.
                if (value.TryGetInt32(out int most) && most == -2)
                    return "num_predict -2";
                if (most > 0)
                    body["max_tokens"] = most;
            }
            else if (Word(kind, name) is { } word)
            {
                body[word] = value.ToNode();
            }
            else
            {
                return name;
            }
        }
        return null;
    }

    private static string? Word(ServerKind kind, string name) => Standard.GetValueOrDefault(name) ?? kind switch
    {
        ServerKind.Vllm => Vllm.GetValueOrDefault(name),
        ServerKind.LlamaServer => LlamaServer.GetValueOrDefault(name),
        _ => null,
    };
}
