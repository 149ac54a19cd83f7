namespace OllamaMax.Grammars.Automata;

/// <summary>An automaton would have more states than <see cref="GrammarLimits"/> allows; whoever knows the schema says where.</summary>
internal sealed class AutomatonTooLargeException() : Exception("An automaton has too many states.");
