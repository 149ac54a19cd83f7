using OllamaMax.Models;
using OllamaMax.Models.Vocabularies;

namespace OllamaMax.Edge.Requests;

/// <summary>The vocabularies of the published models.</summary>
internal interface IVocabularySource
{
    /// <summary>Null where the model's tokens cannot be counted here: its vocabulary is of another kind, cannot be read now, or is a server's that a worker forwards to.</summary>
    ValueTask<TokenCounter?> FindAsync(ModelView model, CancellationToken cancellationToken);
}
