using System.Net;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Forwarding;
using OllamaMax.Models;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>
/// OpenAI's API (https://platform.openai.com/docs/api-reference): chats, completions of raw prompts, embeddings; what vLLM and llama.cpp's server take
/// beyond it where it is one of these. A keep_alive means nothing there: such a server keeps the models that it was started with.
/// </summary>
internal sealed class OpenAIDialect(ServerKind kind) : IServerDialect
{
    private const string Done = "[DONE]";

    /// <summary>Both take variables of the model's template, and give reasoning a field of its own.</summary>
    private bool HasTemplateVariables => kind is ServerKind.Vllm or ServerKind.LlamaServer;

    public async Task<IReadOnlyList<ForwardedModel>> ListAsync(ServerConnection server, CancellationToken cancellationToken)
    {
        JsonElement[] listed = [.. (await server.GetAsync("models", cancellationToken)).Items("data")];
        List<ForwardedModel> models = [];
        foreach (JsonElement model in listed)
        {
            if (model.Text("id") is { Length: > 0 } id)
                models.Add(Model(id, model, await SeesAsync(server, id, isOnly: listed.Length == 1, cancellationToken)));
        }
        return models;
    }

    public ServerRequest Ask(string model, EngineRequest request)
    {
        ForwardedPrompt forward = request.Forward!;
        JsonObject body = new()
        {
            ["model"] = model,
            ["stream"] = true,
            ["stream_options"] = new JsonObject { ["include_usage"] = true },
            ["seed"] = ServerSeed.Of(request.Seed),
        };
        if (request.Stop.Count > 0)
            body["stop"] = new JsonArray([.. request.Stop.Select(stop => JsonValue.Create(stop))]);
        if (OpenAIOptions.Write(kind, forward.Options, body) is { } unsupported)
            return ServerRequest.Refused(kind, unsupported);
        return forward.Messages.Count > 0 ? Chat(body, forward, request) : Complete(body, forward, request);
    }

    public ServerRequest Embed(string model, EmbedRequest request)
    {
        if (request.Context is not null)
            return ServerRequest.Refused(kind, "num_ctx");
        JsonObject body = new()
        {
            ["model"] = model,
            ["input"] = new JsonArray([.. request.Inputs.Select(input => JsonValue.Create(input))]),
            ["encoding_format"] = "float",
        };
        // The others refuse what is too long, and say so.
        if (request.Truncate && kind == ServerKind.Vllm)
            body["truncate_prompt_tokens"] = -1;
        return new ServerRequest("embeddings", body);
    }

    public ServerRequest? Load(string model, TimeSpan? keepAlive) => null;

    /// <summary>The data of each event, up to the word that there are no more.</summary>
    public async IAsyncEnumerable<string> SplitAsync(Stream answer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (SseItem<string> item in SseParser.Create(answer).EnumerateAsync(cancellationToken))
        {
            if (item.Data == Done)
                yield break;
            if (item.Data.Length > 0)
                yield return item.Data;
        }
    }

    public IServerAnswer NewAnswer() => new OpenAIAnswer();

    public (IReadOnlyList<float[]> Vectors, int Tokens) ReadVectors(JsonElement answer) => (
        [
            .. answer.Items("data")
                .OrderBy(one => one.Integer("index") ?? 0)
                .Select(one => one.Items("embedding").Select(number => number.GetSingle()).ToArray())
        ],
        (int)(answer.Find("usage")?.Integer("prompt_tokens") ?? 0));

    /// <summary>
    /// Whether the model sees; null where the server does not say. Only llama.cpp's says (<c>modalities</c> in tools/server/README.md), beside OpenAI's API. One that has many models is not to load
    /// each for the question. One that has just started lists its only model while it loads it, and answers nothing else: it is away until then.
    /// </summary>
    private async Task<bool?> SeesAsync(ServerConnection server, string id, bool isOnly, CancellationToken cancellationToken)
    {
        if (kind != ServerKind.LlamaServer)
            return null;
        try
        {
            JsonElement props = await server.GetAsync($"../props?model={Uri.EscapeDataString(id)}&autoload=false", cancellationToken);
            return props.Find("modalities")?.Find(ForwardedModel.Vision) is { ValueKind: JsonValueKind.True or JsonValueKind.False } sees ? sees.GetBoolean() : null;
        }
        catch (Exception e) when (e is HttpRequestException { StatusCode: { } status } ? !(isOnly && status == HttpStatusCode.ServiceUnavailable) : e is JsonException)
        {
            return null;
        }
    }

    private ForwardedModel Model(string id, JsonElement model, bool? sees)
    {
        JsonElement meta = model.Find("meta") ?? default;
        return new ForwardedModel
        {
            Kind = ServerKinds.NameOf(kind),
            Model = id,
            Name = NameOf(id),
            // Beyond that these servers do not say what their models can; they refuse what one cannot.
            Capabilities = [.. HasTemplateVariables ? (string[])["completion", "tools", "thinking"] : ["completion", "tools"], .. sees == true ? (string[])[ForwardedModel.Vision] : []],
            TakesImages = sees ?? true,
            CanRequireCalls = true,
            ModifiedAt = DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(model.Integer("created") ?? 0, 0, uint.MaxValue)),
            Size = meta.Integer("size") ?? 0,
            ParameterCount = meta.Integer("n_params") ?? 0,
            // vLLM's word, and llama.cpp's server's.
            ContextLength = (int)Math.Clamp(model.Integer("max_model_len") ?? meta.Integer("n_ctx_train") ?? 0, 0, int.MaxValue),
        };
    }

    /// <summary>llama.cpp's server names a model by its file, unless it is told a name.</summary>
    private static string NameOf(string id)
    {
        if (ModelName.TryParse(id, out _, out _))
            return id;
        string file = id[(id.LastIndexOfAny(['/', '\\']) + 1)..];
        return file.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? file[..^".gguf".Length] : file;
    }

    private ServerRequest Chat(JsonObject body, ForwardedPrompt forward, EngineRequest request)
    {
        if (forward.ThinkLevel is { } level)
            body["reasoning_effort"] = level;
        // Templates call it by either name; one that a template does not know means nothing. The level none, OpenAI's word for no reasoning, is refused for models that do not know it: such a one reasons as it does by itself.
        if (HasTemplateVariables && forward.Think is { } think)
            body["chat_template_kwargs"] = new JsonObject { ["enable_thinking"] = think, ["thinking"] = think };
        body["messages"] = OpenAIMessages.Write(forward.Messages, withReasoning: HasTemplateVariables);
        if (forward.Tools.Count > 0)
            WriteTools(body, forward);
        if (forward.Format is { } format)
            body["response_format"] = ResponseFormat(format);
        if (request.Options.TopLogprobs is { } top)
        {
            body["logprobs"] = true;
            if (top > 0)
                body["top_logprobs"] = top;
        }
        return new ServerRequest("chat/completions", body);
    }

    private ServerRequest Complete(JsonObject body, ForwardedPrompt forward, EngineRequest request)
    {
        string? unsupported = forward.Format is not null ? "format with a raw prompt"
            : forward.Think == true ? "think with a raw prompt"
            : request.Options.TopLogprobs is not null ? "logprobs with a raw prompt"
            // Both document that they lack it; versions that do not refuse it answer as if there were none.
            : forward.Suffix.Length > 0 && kind != ServerKind.OpenAI ? "suffix"
            : null;
        if (unsupported is not null)
            return ServerRequest.Refused(kind, unsupported);
        body["prompt"] = forward.Prompt;
        if (forward.Suffix.Length > 0)
            body["suffix"] = forward.Suffix;
        return new ServerRequest("completions", body);
    }

    private void WriteTools(JsonObject body, ForwardedPrompt forward)
    {
        IEnumerable<JsonElement> tools = forward.Tools;
        // llama.cpp's server takes a word for the choice, and an object for auto: the one tool that may be called is the one that there is.
        if (kind == ServerKind.LlamaServer && forward.RequiredTool is { } only)
            tools = tools.Where(tool => tool.Find("function")?.Text("name") == only);
        body["tools"] = new JsonArray([.. tools.Select(Tool)]);
        if (forward.RequiresCalls)
            body["tool_choice"] = kind != ServerKind.LlamaServer && forward.RequiredTool is { } name
                ? new JsonObject { ["type"] = "function", ["function"] = new JsonObject { ["name"] = name } }
                : "required";
    }

    private static JsonNode Tool(JsonElement tool)
    {
        JsonNode written = tool.ToNode();
        written["type"] ??= "function";
        return written;
    }

    private static JsonObject ResponseFormat(JsonElement format) => format.ValueKind == JsonValueKind.Object
        ? new()
        {
            ["type"] = "json_schema",
            ["json_schema"] = new JsonObject { ["name"] = "answer", ["schema"] = format.ToNode(), ["strict"] = true },
        }
        : new() { ["type"] = "json_object" };
}
