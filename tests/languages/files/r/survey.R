# Answers of a survey.

library(dplyr)

#' The share of people who agree, weighted by age group.
#'
#' @param answers A data frame.
weighted_share <- function(answers, weights) {
  answers |>
    group_by(age) |>
    summarise(share = mean(agrees) * weights[age])
}

Survey <- R6::R6Class("Survey",
  public = list(
    add = function(answer) {
      self$answers <- c(self$answers, answer)
    }
  )
)

is_adult = function(age) age >= 18
