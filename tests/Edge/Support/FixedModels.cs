using System.Text.Json;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Templates;
using OllamaMax.Jobs;
using OllamaMax.Models;
using OllamaMax.Models.Vocabularies;

namespace OllamaMax.Edge.Tests.Support;

/// <summary>A catalogue of three: a chat model, one without template, one that only embeds. The template is as plain as can be.</summary>
internal sealed class FixedModels : IModelSource, IVocabularySource, ILoadedModels, IPromptRenderer
{
    public const string Weights = "sha256:aaaa";

    private readonly List<ModelView> _models = [Demo, View("plain", "completion") with { Template = null }, View("embed", "embedding")];

    public IReadOnlyList<LoadedModel> Loaded { get; set; } = [];

    /// <summary>Thrown by the catalogue, as if storage were broken.</summary>
    public Exception? Fault { get; set; }

    /// <summary>Of all models; null: of a kind that is not known.</summary>
    public TokenCounter? Counter { get; set; }

    ValueTask<TokenCounter?> IVocabularySource.FindAsync(ModelView model, CancellationToken cancellationToken) => ValueTask.FromResult(Counter);

    public ValueTask<ModelView?> FindAsync(string name, CancellationToken cancellationToken) =>
        Fault is null
            ? ValueTask.FromResult(ModelName.TryParse(name, out ModelName? asked, out _) ? _models.Find(model => model.Name == asked) : null)
            : throw Fault;

    public ValueTask<IReadOnlyList<ModelView>> ListAsync(CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<ModelView>>(_models);

    ValueTask<IReadOnlyList<LoadedModel>> ILoadedModels.ListAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Loaded);

    public static ModelView Demo { get; } = View("demo", "completion", "tools");

    /// <summary>A model that can do all there is, to be added: it reasons, calls, fills in.</summary>
    public static ModelView Able { get; } = View("able", "completion", "insert", "tools", "thinking") with
    {
        Template = "{{ '<think>' }}{{ '</think>' }}{{ '<tool_call>' }}",
        FillInTheMiddle = new("<PRE>", "<SUF>", "<MID>"),
    };

    public string Render(
        ModelView model, IReadOnlyList<ChatMessage> messages, IReadOnlyList<JsonElement> tools, bool addGenerationPrompt, TemplateOptions? options)
    {
        if (messages.Any(message => message.Role == "intruder"))
            throw new TemplateException("no intruders") { IsRefusal = true };
        if (messages.Any(message => message.Content == "break"))
            throw new TemplateException("it broke");
        return (model.Template is "{{ messages }}" || model.Name.Name == "able" ? "" : model.Template)
            + (options?.Think is { } think ? $"(think {think} {options.ReasoningEffort})" : "")
            + string.Concat(tools.Select(tool => $"[{tool.GetProperty("function").GetProperty("name")}]"))
            + string.Concat(messages.Select(message => $"<{message.Role}>{message.Content}"))
            + (addGenerationPrompt ? "<assistant>" : "")
            + (messages[^1].Content == "begin to think" ? "<think>\n" : "");
    }

    /// <summary>Names of models that no worker can take.</summary>
    public HashSet<string> Unserved { get; } = [];

    public bool IsServed(ModelView model, string? tenant) => !Unserved.Contains(model.Name.Name);

    public void Add(ModelView model) => _models.Add(model);

    public void Remove(string name) => _models.RemoveAll(model => model.Name.Name == name);

    private static ModelView View(string name, params string[] capabilities) => new()
    {
        Name = new(ModelName.DefaultHost, ModelName.DefaultNamespace, name, ModelName.DefaultTag),
        Digest = new('d', 64),
        Size = 1000,
        ModifiedAt = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
        Weights = Weights,
        WeightsSize = 900,
        Details = new("gguf", "llama", ["llama"], "4M", "F32"),
        Metadata = new Dictionary<string, JsonElement>
        {
            ["llama.context_length"] = JsonSerializer.SerializeToElement(1024),
            ["llama.embedding_length"] = JsonSerializer.SerializeToElement(64),
            ["general.architecture"] = JsonSerializer.SerializeToElement("llama"),
            ["general.name"] = JsonSerializer.SerializeToElement("Demo"),
        },
        Template = "{{ messages }}",
        ContextLength = 1024,
        ParameterCount = 4_000_000,
        Capabilities = capabilities,
    };
}
