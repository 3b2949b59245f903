module Stopwatch exposing (Model, update, viewElapsed)

import Html exposing (Html, text)


type alias Model =
    { started : Maybe Int, elapsed : Int }


type Msg
    = Start Int
    | Stop Int


{-| Reacts to the buttons.
-}
update : Msg -> Model -> Model
update msg model =
    case msg of
        Start now ->
            { model | started = Just now }

        Stop now ->
            { model | started = Nothing, elapsed = model.elapsed + now }


{-| Shows the elapsed time of the stopwatch.
-}
viewElapsed : Model -> Html msg
viewElapsed model =
    text (String.fromInt (model.elapsed // 1000))
