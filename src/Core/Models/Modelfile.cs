using OllamaMax.Jobs;

namespace OllamaMax.Models;

/// <summary>What is said of a model beside its weights (https://docs.ollama.com/modelfile); null or empty: nothing.</summary>
public sealed record Modelfile
{
    public static Modelfile None { get; } = new();

    /// <summary>The name of the model that it was made from, as it was written.</summary>
    public string? Parent { get; init; }

    /// <summary>Jinja; in the place of the template that stands in the GGUF.</summary>
    public string? Template { get; init; }

    /// <summary>For requests that bring no system message of their own.</summary>
    public string? System { get; init; }

    /// <summary>Defaults for what requests do not say.</summary>
    public RequestedOptions Parameters { get; init; } = new();

    /// <summary>Turns before the request's own.</summary>
    public IReadOnlyList<ModelMessage> Messages { get; init; } = [];

    public IReadOnlyList<string> License { get; init; } = [];

    /// <summary>These, and where they say nothing, <paramref name="parent"/>'s.</summary>
    public Modelfile Over(Modelfile parent) => new()
    {
        Parent = Parent ?? parent.Parent,
        Template = Template ?? parent.Template,
        System = System ?? parent.System,
        Parameters = Parameters.Over(parent.Parameters),
        Messages = Messages.Count > 0 ? Messages : parent.Messages,
        License = License.Count > 0 ? License : parent.License,
    };
}

/// <param name="Role">user, assistant or system.</param>
/// <param name="Content">What was said.</param>
public sealed record ModelMessage(string Role, string Content);
